import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { OPENS_AFTER } from '../../src/outbox/breaker.js';
import { claim } from '../../src/outbox/claim.js';
import { Outbox } from '../../src/outbox/outbox.js';
import { Poller } from '../../src/outbox/poll.js';
import { record } from '../../src/outbox/record.js';
import { LeaseLost } from '../../src/outbox/types.js';
import { databaseKinds, openDatabase } from '../support/databases.js';
import { attemptsOf, done, failed, handlerOf, note, outboxOf, recordNote, rowOf } from '../support/engine.js';

const never = '0 0 0 1 1 *';

describe.each(databaseKinds)('events claimed ahead of a free slot, on %s', (kind) => {
  let database: Database;
  let next: number;
  beforeEach(async () => {
    database = await openDatabase(kind);
    next = 0;
  });
  afterEach(() => database.close());

  const recordMany = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) ids.push(await recordNote(database, { n: next++ }));
    return ids;
  };
  const leased = async (): Promise<number> =>
    (await database.query(sql`SELECT id FROM outbox_event WHERE lease_until IS NOT NULL`)).length;
  function gated() {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { gate, open };
  }

  it('are limited in number, wait with their leases, and run once each in the order of the queue', async () => {
    const ids = await recordMany(9);
    const { gate, open } = gated();
    const order: string[] = [];
    let atOnce = 0;
    let most = 0;
    const outbox = outboxOf(
      database,
      async (event) => {
        order.push(event.id);
        most = Math.max(most, ++atOnce);
        await gate;
        atOnce -= 1;
        return done;
      },
      { batchSize: 2, concurrencyPerTarget: 2 },
    );
    const poller = new Poller(outbox, { cron: never, lookAheadMs: 0 });
    poller.wake();
    await expect.poll(leased).toBe(6);
    expect(order).toEqual(ids.slice(0, 2));
    expect(outbox.runningCount).toBe(6);
    open();
    for (const id of ids) await expect.poll(async () => (await rowOf(database, id)).status).toBe('handled');
    expect(order).toEqual(ids);
    expect(most).toBe(2);
    for (const id of ids) expect(await attemptsOf(database, id)).toHaveLength(1);
    await poller.stop();
  });

  it('start when a slot becomes free, without waiting for the next sweep', async () => {
    const { gate, open } = gated();
    const other = { ...note, type: 'OTHER', target: 'other' };
    const both = new Outbox(
      database,
      [
        handlerOf(() => gate.then(() => done)) as never,
        { ...handlerOf(async () => done), definition: other } as never,
      ],
      { leaseMs: 10_000, failuresMax: 3, retryDelayMs: 1_000, batchSize: 10, concurrencyPerTarget: 1 },
    );
    const ids = await recordMany(5);
    const poller = new Poller(both, { cron: never, lookAheadMs: 0 });
    poller.wake();
    await expect.poll(leased).toBe(3);
    // The other target is not held up meanwhile.
    const { id } = await database.transaction((tx) => record(tx, other, { n: 100 }));
    poller.wake();
    await expect.poll(async () => (await rowOf(database, id)).status).toBe('handled');
    open();
    for (const one of ids) await expect.poll(async () => (await rowOf(database, one)).status).toBe('handled');
    await poller.stop();
  });

  it('a claim for given types takes no event of another type, even if few of its slots are free', async () => {
    const { gate, open } = gated();
    const other = { ...note, type: 'OTHER', target: 'other' };
    const both = new Outbox(
      database,
      [
        handlerOf(() => gate.then(() => done)) as never,
        { ...handlerOf(async () => done), definition: other } as never,
      ],
      { leaseMs: 10_000, failuresMax: 3, retryDelayMs: 1_000, batchSize: 10, concurrencyPerTarget: 4 },
    );
    await recordMany(3);
    await both.claimAndStart();
    expect(await leased()).toBe(3); // a single slot is free
    await recordMany(1);
    const { id } = await database.transaction((tx) => record(tx, other, { n: 100 }));
    const claimed = await both.claimAndStart({ onlyTypes: ['OTHER'] });
    expect(claimed).toMatchObject({ rows: [{ id, type: 'OTHER' }] });
    open();
    await both.drain(5_000);
  });

  it('go back into the queue when the breaker opens: due at once, nothing counted', async () => {
    const ids = await recordMany(15);
    const unreached = {
      call: 'c',
      at: '',
      durationMs: 1,
      request: { method: 'GET', path: '/', body: null },
      answer: null,
      outcome: 'not-applied',
      code: 'E',
    } as const;
    const outbox = outboxOf(
      database,
      async (_event, context) => {
        context.journal(unreached);
        return failed;
      },
      { batchSize: OPENS_AFTER, concurrencyPerTarget: OPENS_AFTER },
    );
    await outbox.claimAndStart({ deadlineFirst: true });
    await expect.poll(() => outbox.runningCount).toBe(0);
    expect(outbox.breakers()).toMatchObject([{ state: 'open' }]);
    const rows = await Promise.all(ids.map((id) => rowOf(database, id)));
    expect(rows.map((row) => [row.status, row.failures, row.lease_until])).toEqual(
      ids.map(() => ['pending', 0, null]),
    );
    // Each attempt but the last of those that open the breaker lets the next one start.
    const notStarted = ids.slice(2 * OPENS_AFTER - 1);
    const decisions = (await Promise.all(notStarted.map((id) => attemptsOf(database, id))))
      .flat()
      .map((attempt) => attempt.decision);
    expect(decisions).toEqual(notStarted.map(() => 'interrupted: handed back, nothing counted'));
  });

  it('go back into the queue when the process ends, while running attempts may finish', async () => {
    const ids = await recordMany(3);
    const { gate, open } = gated();
    const ran: string[] = [];
    const outbox = outboxOf(
      database,
      async (event) => {
        ran.push(event.id);
        await gate;
        return done;
      },
      { concurrencyPerTarget: 1 },
    );
    await outbox.claimAndStart({ deadlineFirst: true });
    const drained = outbox.drain(10_000);
    for (const id of ids.slice(1))
      await expect.poll(async () => (await rowOf(database, id)).lease_until).toBeNull();
    open();
    await drained;
    expect(ran).toEqual(ids.slice(0, 1));
    expect((await Promise.all(ids.map((id) => rowOf(database, id)))).map((row) => row.status)).toEqual([
      'handled',
      'pending',
      'pending',
    ]);
  });

  it('keep their leases while they wait, and are not handled once a lease is lost', async () => {
    const ids = await recordMany(2);
    const { gate, open } = gated();
    const ran: string[] = [];
    const lost: string[] = [];
    const outbox = outboxOf(
      database,
      async (event, context) => {
        ran.push(event.id);
        await gate;
        if (context.signal.aborted) throw new LeaseLost();
        return done;
      },
      { concurrencyPerTarget: 1, leaseMs: 600 },
    );
    outbox.signals.on('lease-lost', ({ eventId }) => lost.push(eventId));
    await outbox.claimAndStart({ deadlineFirst: true });
    const leaseOf = async (id: string): Promise<string> => String((await rowOf(database, id)).lease_until);
    const before = await leaseOf(ids[1] as string);
    await expect.poll(() => leaseOf(ids[1] as string), { timeout: 3_000 }).not.toBe(before); // renewed
    await database.execute(
      sql`UPDATE outbox_event SET attempt = attempt + 1, claimed_by = 'another' WHERE id = ${ids[1] as string}`,
    );
    await expect.poll(() => lost, { timeout: 3_000 }).toEqual([ids[1]]);
    open();
    while (outbox.runningCount > 0) await outbox.oneEnded();
    expect(ran).toEqual(ids.slice(0, 1));
    expect(await rowOf(database, ids[1] as string)).toMatchObject({
      status: 'pending',
      attempt: 2,
      claimed_by: 'another',
    });
  });

  // SQLite has one writer: there a renewal waits for every settling, whatever it holds.
  const onMariadb = kind === 'mariadb' ? it : () => {};
  onMariadb(
    'a lease is renewed while another event of this process is being settled, however long that takes',
    async () => {
      const [settling = '', running = ''] = await recordMany(2);
      const [effect, handler] = [gated(), gated()];
      let isInEffect = false;
      let lost = 0;
      const outbox = outboxOf(
        database,
        async (event) => {
          if (event.id === running) {
            await handler.gate;
            return done;
          }
          return {
            ...done,
            effect: async () => {
              isInEffect = true;
              await effect.gate;
            },
          };
        },
        { leaseMs: 600 },
      );
      outbox.signals.on('lease-lost', () => {
        lost += 1;
      });
      await outbox.claimAndStart();
      await expect.poll(() => isInEffect).toBe(true);
      const leaseUntil = async (): Promise<number> =>
        Number(new Date((await rowOf(database, running)).lease_until as string));
      const before = await leaseUntil();
      await expect.poll(leaseUntil, { timeout: 5_000 }).toBeGreaterThan(before + 600);
      handler.open();
      await expect
        .poll(async () => (await rowOf(database, running)).status, { timeout: 5_000 })
        .toBe('handled');
      effect.open();
      while (outbox.runningCount > 0) await outbox.oneEnded();
      expect(await rowOf(database, settling)).toMatchObject({ attempt: 1 });
      expect(await rowOf(database, running)).toMatchObject({ status: 'handled', attempt: 1 });
      expect(lost).toBeLessThanOrEqual(1); // the event whose settling took longer than its lease
    },
  );

  it('a process holds a single event that was interrupted twice, beside all others; the next such event follows by itself', async () => {
    const ids = await recordMany(6);
    for (const id of ids.slice(0, 3))
      await database.execute(sql`UPDATE outbox_event SET interruptions = 2 WHERE id = ${id}`);
    for (const id of ids.slice(3, 5))
      await database.execute(sql`UPDATE outbox_event SET interruptions = 1 WHERE id = ${id}`);
    let suspects = 0;
    let most = 0;
    const order: string[] = [];
    const { gate, open } = gated();
    const outbox = outboxOf(database, async (event) => {
      order.push(event.id);
      if (event.interruptions === 2) most = Math.max(most, ++suspects);
      await gate;
      if (event.interruptions === 2) suspects -= 1;
      return done;
    });
    expect(await outbox.claimAndStart()).toMatchObject({ nextDueInMs: 100 });
    await expect.poll(() => order).toEqual([ids[0], ...ids.slice(3)]);
    for (const id of ids.slice(1, 3))
      expect(await rowOf(database, id)).toMatchObject({ status: 'pending', attempt: 0, lease_until: null });
    open();
    await expect.poll(() => outbox.runningCount).toBe(0);
    const poller = new Poller(outbox, { cron: never, lookAheadMs: 15_000 });
    poller.wake();
    await expect.poll(() => order.length, { timeout: 5_000 }).toBe(6);
    expect(order.toSorted()).toEqual(ids.toSorted());
    expect(most).toBe(1);
    await poller.stop();
  });

  it('an event that kills its process ends errored; all events claimed with it are handled', async () => {
    const [killer = '', ...others] = await recordMany(8);
    const { registry } = outboxOf(database, async () => done);
    const handled = new Set<string>();
    let deaths = 0;
    let isGivenUp = false;
    for (let n = 0; n < 40 && (!isGivenUp || handled.size < others.length); n++) {
      const { rows } = await claim(database, registry, {
        limit: 10,
        worker: `w${n}`,
        leaseMs: 60_000,
        trigger: 'poll',
      });
      for (const { interruptions } of rows.filter(({ id }) => id !== killer))
        expect(interruptions).toBeLessThan(3);
      const kills = rows.find(({ id }) => id === killer);
      isGivenUp ||= kills?.interruptions === 3;
      if (kills && kills.interruptions < 3) deaths += 1;
      else
        for (const { id } of rows) {
          await database.execute(
            sql`UPDATE outbox_event SET status = 'handled', queue_at = NULL, lease_until = NULL WHERE id = ${id}`,
          );
          if (id !== killer) handled.add(id);
        }
      // Time passes: leases run out, and what waits falls due.
      await database.execute(sql`UPDATE outbox_event SET queue_at = run_at WHERE status = 'pending'`);
    }
    expect([...handled].toSorted()).toEqual(others.toSorted());
    expect([deaths, isGivenUp]).toEqual([3, true]);
  });

  it('in a backlog a claim begins where the last claim ended, and returns for events that fell due before that place', async () => {
    const ids = await recordMany(6);
    const outbox = outboxOf(database, async () => done);
    const first = await claim(database, outbox.registry, {
      limit: 3,
      worker: 'w',
      leaseMs: 60_000,
      trigger: 'poll',
    });
    const second = await claim(database, outbox.registry, {
      limit: 3,
      worker: 'w',
      leaseMs: 60_000,
      trigger: 'poll',
      behind: first.place ?? undefined,
    });
    expect([...first.rows, ...second.rows].map(({ id }) => id)).toEqual(ids);

    const early: string[] = [];
    const seen: string[] = [];
    const backlog = await recordMany(30);
    const draining = outboxOf(
      database,
      async (event) => {
        seen.push(event.id);
        // No wake is sent for it, and it stands before everything that is left.
        if (seen.length === 5)
          early.push(
            (
              await database.transaction((tx) =>
                record(tx, note, { n: 1_000 }, { runInMs: -60_000, wake: false }),
              )
            ).id,
          );
        return done;
      },
      { batchSize: 2, concurrencyPerTarget: 2 },
    );
    const poller = new Poller(draining, { cron: never, lookAheadMs: 0 });
    poller.wake();
    await expect.poll(() => seen.length).toBe(31);
    expect(seen.toSorted()).toEqual([...backlog, ...early].toSorted());
    await poller.stop();
  });
});
