import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EnergyClient } from '../../src/clients/energy.js';
import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { callContext } from '../../src/handlers/answer.js';
import { databaseKinds, openDatabase } from '../support/databases.js';
import { done, expireLease, outboxOf, recordNote, rowOf, runDue } from '../support/engine.js';

const LEASE_MS = 400;

/** As SIGSTOP and SIGCONT do: nothing of this process runs meanwhile, no timer either, and then it goes on where it was. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe.each(databaseKinds)('the end of a lease, on %s', (kind) => {
  let database: Database;
  let vendor: http.Server;
  let energy: EnergyClient;
  let requests = 0;
  let n = 0;

  beforeAll(async () => {
    database = await openDatabase(kind);
    vendor = http.createServer((_request, response) => {
      requests += 1;
      response.end('{"code":0,"result":{"recordNo":"r","status":"ACCEPTED"}}');
    });
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
    const { port } = vendor.address() as AddressInfo;
    energy = new EnergyClient({
      baseUrl: `http://127.0.0.1:${port}`,
      appId: 'a',
      appSecret: 's',
      timeoutMs: 5_000,
    });
  });
  afterAll(async () => {
    energy.close();
    vendor.close();
    await database.close();
  });
  beforeEach(async () => {
    requests = 0;
    await database.execute(sql`DELETE FROM outbox_event`);
  });

  const sync = { recordNo: 'r', userId: 'u', amountInCent: 1, canteen: 'c', consumedAt: new Date() };

  it('a process that stood still past the end of its lease sends and writes nothing more', async () => {
    const id = await recordNote(database, { n: ++n });
    const outcomes: string[] = [];
    const outbox = outboxOf(
      database,
      async (_event, context) => {
        const first = await energy.syncConsumption(sync, callContext(context));
        standStill(LEASE_MS + 100);
        const second = await energy.syncConsumption(sync, callContext(context));
        outcomes.push(first.kind, 'code' in second ? second.code : second.kind);
        return done;
      },
      { leaseMs: LEASE_MS },
    );
    await outbox.claimAndStart();
    await outbox.drain(5_000);
    expect([outcomes, requests]).toEqual([['applied', 'LEASE_OVER'], 1]); // never begun: a call that was begun and aborted has another code
    expect(await rowOf(database, id)).toMatchObject({ status: 'pending', attempt: 1, failures: 0 });
    expect(outbox.breakerOf('test').view.state).toBe('closed');
  });

  it('a process that stood still does not begin the next event that it had claimed, and reports the lost lease', async () => {
    for (let i = 0; i < 2; i++) await recordNote(database, { n: ++n });
    const ran: string[] = [];
    const lost: string[] = [];
    const outbox = outboxOf(
      database,
      async (event) => {
        ran.push(event.id);
        standStill(LEASE_MS + 100);
        return done;
      },
      { leaseMs: LEASE_MS, concurrencyPerTarget: 1 },
    );
    outbox.signals.on('lease-lost', ({ eventId }) => lost.push(eventId));
    await outbox.claimAndStart({ deadlineFirst: true });
    await outbox.drain(5_000);
    expect(ran).toHaveLength(1);
    const rest = (await database.query<{ id: unknown }>(sql`SELECT id FROM outbox_event`))
      .map(({ id }) => String(id))
      .filter((id) => id !== ran[0]);
    expect(lost).toContain(rest[0]);
    expect(lost.filter((id) => id === rest[0])).toHaveLength(1);
  });

  it('a process that stood still does not begin a local step', async () => {
    const id = await recordNote(database, { n: ++n });
    let steps = 0;
    const outbox = outboxOf(
      database,
      async (_event, context) => {
        standStill(LEASE_MS + 100);
        await context.step(async () => {
          steps += 1;
        });
        return done;
      },
      { leaseMs: LEASE_MS },
    );
    await outbox.claimAndStart();
    await outbox.drain(5_000);
    expect([steps, (await rowOf(database, id)).status]).toEqual([0, 'pending']);
  });

  it('an event handed back at shutdown after interruptions stays unknown', async () => {
    const id = await recordNote(database, { n: ++n });
    for (let i = 0; i < 3; i++) {
      await outboxOf(database, () => new Promise(() => {}), { leaseMs: 60_000 }).claimAndStart(); // its worker dies
      await expireLease(database, id);
    }
    const blocked = await recordNote(database, { n: ++n });
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const outbox = outboxOf(database, () => gate.then(() => done), {
      concurrencyPerTarget: 1,
      leaseMs: 60_000,
    });
    await database.execute(sql`UPDATE outbox_event SET queue_at = created_at WHERE id = ${blocked}`);
    await outbox.claimAndStart({ deadlineFirst: true });
    const drained = outbox.drain(5_000);
    open();
    await drained;
    const row = await rowOf(database, id);
    expect(row.attempt).toBe(4);
    expect(row).toMatchObject({ status: 'errored', outcome: 'unknown' });
  });

  it('a handed-back event whose outcome was unknown stays unknown', async () => {
    const id = await recordNote(database, { n: ++n });
    await database.execute(
      sql`UPDATE outbox_event SET unknown_at = created_at, outcome = 'unknown' WHERE id = ${id}`,
    );
    const outbox = outboxOf(database, async () => done);
    const stopped = outbox.drain(0);
    await stopped;
    await outbox.claimAndStart();
    await outbox.drain(0);
    expect(await rowOf(database, id)).toMatchObject({
      status: 'pending',
      outcome: 'unknown',
      last_error_code: 'interrupted',
    });
    await runDue(outboxOf(database, async () => done));
    expect((await rowOf(database, id)).status).toBe('handled');
  });
});
