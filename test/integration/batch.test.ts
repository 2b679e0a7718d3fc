import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { now, sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';
import { launch, packed } from '../support/processes.js';

interface Preview {
  id: string;
  token: string;
  total: number;
  groups: { type: string; count: number }[];
  samples: string[];
  expectedSeconds: number;
}
interface Read {
  status: string;
  done: number;
  skipped: number;
  why: string | null;
  items: { eventId: string; result: string | null; why: string | null }[];
}

describe.each(databaseKinds)('a bulk act on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;

  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });
  afterAll(() => kit.close());

  /** So many cancels at Meican that were refused, for one cause. */
  async function refused(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      const sub = `b${++user}`;
      const order = await kit.ordered(menu, sub);
      kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'DISH_NOT_AVAILABLE', times: 1 });
      await kit.cancel(order.id, sub);
      ids.push((await kit.eventOf(order.id, 'MEICAN_V2_CANCEL')).id);
    }
    kit.sandbox.faults.clear();
    return ids;
  }
  const preview = (more: object = {}) =>
    kit.call<Preview>('POST', '/v1/event-batches', {
      body: {
        verb: 'requeue',
        type: 'MEICAN_V2_CANCEL',
        reason: 'they are back',
        ratePerSecond: 50,
        ...more,
      },
    });
  const execute = ({ id, token }: Preview, more: object = {}, as = 'op') =>
    kit.call('POST', `/v1/event-batches/${id}/execute`, { as, role: 'operator', body: { token, ...more } });
  const read = async (id: string) => (await kit.call<Read>('GET', `/v1/event-batches/${id}?limit=500`)).body;
  const statusOf = async (id: string) =>
    (await kit.call<{ status: string }>('GET', `/v1/events/${id}`)).body.status;

  it('is previewed, frozen, and carries out exactly that set, the first one alone', async () => {
    const ids = await refused(4);
    const { body: frozen, status } = await preview();
    expect([status, frozen.total, frozen.groups]).toMatchObject([
      201,
      4,
      [{ type: 'MEICAN_V2_CANCEL', count: 4 }],
    ]);
    expect(frozen.samples).toHaveLength(4);
    const [later] = await refused(1); // failed after the preview
    const settled = ids[2] ?? '';
    await kit.call('POST', `/v1/events/${settled}/requeue`, { body: { reason: 'by hand' } });
    await kit.runDue();
    expect(await statusOf(ids[0] ?? '')).toBe('errored'); // a preview does nothing
    expect((await execute(frozen)).status).toBe(202);
    expect((await execute(frozen)).body).toMatchObject({ code: 'batch-refused', why: 'status' });
    await kit.pass(20);
    const result = await read(frozen.id);
    expect(result).toMatchObject({ status: 'done', done: 3, skipped: 1 });
    expect(result.items.find((item) => item.eventId === settled)).toMatchObject({
      result: 'skipped',
      why: 'it is handled now',
    });
    for (const id of ids) expect(await statusOf(id)).toBe('handled');
    expect(await statusOf(later ?? '')).toBe('errored');
    expect(
      await kit.database.query(
        sql`SELECT id FROM operator_action WHERE verb = 'requeue' AND request_id = ${`batch-${frozen.id}`}`,
      ),
    ).toHaveLength(3);
    await kit.call('POST', `/v1/events/${later}/discard`, { body: { reason: 'enough' } });
  });

  it('of three people who execute it at once one starts it; the others are told who was faster', async () => {
    const ids = await refused(2);
    const { body: frozen } = await preview();
    const people = ['ann', 'bob', 'cyd'];
    const answers = await Promise.all(
      people.map(async (who) => ({ who, ...(await execute(frozen, {}, who)) })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    const first = answers.find(({ status }) => status === 202)?.who ?? '';
    for (const { body } of answers.filter(({ status }) => status === 409))
      expect(body).toMatchObject({
        code: 'batch-refused',
        why: 'status',
        detail: expect.stringContaining(`started by ${first}`),
      });
    const audited = (verb: string, target: string) =>
      kit.database.query(
        sql`SELECT actor FROM operator_action WHERE verb = ${verb} AND target_id = ${target}`,
      );
    expect(await audited('batch-execute', frozen.id)).toMatchObject([{ actor: first }]);
    await kit.pass(20);
    expect(await read(frozen.id)).toMatchObject({ status: 'done', done: 2, executor: first });
    for (const id of ids) expect(await audited('requeue', id)).toMatchObject([{ actor: first }]); // who did it, not who looked
  });

  it('stops by itself when the first one fails again', async () => {
    const ids = await refused(3);
    const { body: frozen } = await preview();
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'DISH_NOT_AVAILABLE' });
    await execute(frozen);
    await kit.pass(10);
    kit.sandbox.faults.clear();
    expect(await read(frozen.id)).toMatchObject({
      status: 'stopped',
      why: 'the first one failed again',
      done: 1,
    });
    expect(await statusOf(ids[1] ?? '')).toBe('errored');
    for (const id of ids) await kit.call('POST', `/v1/events/${id}/discard`, { body: { reason: 'enough' } });
  });

  it('is stopped by a person; an old or a foreign token starts nothing; more than ten need their number', async () => {
    const ids = await refused(11);
    const { body: frozen } = await preview({ verb: 'discard', ratePerSecond: 1 });
    expect((await execute(frozen)).body).toMatchObject({ code: 'batch-refused', why: 'count' });
    expect((await execute({ ...frozen, token: 'x'.repeat(32) }, { count: 11 })).status).toBe(404);
    await kit.database.execute(
      sql`UPDATE event_batch SET created_at = '2026-01-01 00:00:00.000' WHERE id = ${frozen.id}`,
    );
    expect((await execute(frozen, { count: 11 })).body).toMatchObject({ why: 'expired' });
    const { body: fresh } = await preview({ verb: 'discard', ratePerSecond: 1 });
    expect((await execute(fresh, { count: 11 })).status).toBe(202);
    const running = kit.pass(1, ['EVENT_BATCH']);
    await expect.poll(async () => (await read(fresh.id)).done, { timeout: 5_000 }).toBeGreaterThan(0);
    expect((await kit.call('POST', `/v1/event-batches/${fresh.id}/stop`, { body: {} })).status).toBe(200);
    await running;
    await kit.pass(2);
    const result = await read(fresh.id);
    expect(result.status).toBe('stopped');
    expect(result.done).toBeLessThan(11);
    const left = await Promise.all(ids.map(statusOf));
    expect(left.filter((status) => status === 'discarded')).toHaveLength(result.done);
    await kit.database.execute(sql`UPDATE outbox_event SET status = 'discarded' WHERE status = 'errored'`);
  });

  it('a set of more than a thousand is started by another person', async () => {
    for (let i = 0; i < 1_001; i++)
      await kit.database.execute(sql`
        INSERT INTO outbox_event (type, status, payload, payload_version, dedupe_key, run_at, created_at, settled_at) VALUES ('BIG', 'errored', '{}', 1, ${`big:${i}`}, ${now}, ${now}, ${now})`);
    const { body: frozen } = await preview({ type: 'BIG', verb: 'discard' });
    expect((await execute(frozen, { count: 1_001 })).body).toMatchObject({ why: 'second-person' });
    expect((await execute(frozen, { count: 1_001 }, 'another')).status).toBe(202);
    await kit.call('POST', `/v1/event-batches/${frozen.id}/stop`, { body: {} });
    await kit.pass(1, ['EVENT_BATCH']);
    // An admin may do it alone, and whatever else an operator may.
    const asAdmin = <T>(url: string, body: object) =>
      kit.call<T & Record<string, unknown>>('POST', url, { as: 'boss', role: 'admin', body });
    const { body: own } = await asAdmin<Preview>('/v1/event-batches', {
      type: 'BIG',
      verb: 'discard',
      reason: 'mine',
      ratePerSecond: 50,
    });
    expect(
      (await asAdmin(`/v1/event-batches/${own.id}/execute`, { token: own.token, count: own.total })).status,
    ).toBe(202);
    expect(own.total).toBe(1_001);
    await asAdmin(`/v1/event-batches/${own.id}/stop`, {});
    await kit.pass(1, ['EVENT_BATCH']);
    await kit.database.execute(sql`DELETE FROM outbox_event WHERE type = 'BIG'`);
  }, 60_000);

  it('survives the death of its worker in the middle of an item, and repeats none', async () => {
    const ids = await refused(5);
    const { body: frozen } = await preview({ verb: 'discard' });
    await execute(frozen);
    const dying = launch([packed('crash-worker')], {
      ...kit.env,
      REDIS_URLS: kind === 'sqlite' ? '' : (kit.env.REDIS_URLS ?? 'redis://127.0.0.1:1'),
      CRASH_AT: 'in-batch-item:3',
    });
    expect(await dying.ended).toBe('SIGKILL');
    expect(await read(frozen.id)).toMatchObject({ status: 'running', done: 2 });
    await kit.database.execute(
      sql`UPDATE outbox_event SET lease_until = ${now}, queue_at = ${now} WHERE lease_until IS NOT NULL`,
    );
    await kit.pass(5);
    expect(await read(frozen.id)).toMatchObject({ status: 'done', done: 5, skipped: 0 });
    for (const id of ids)
      expect(
        await kit.database.query(
          sql`SELECT id FROM operator_action WHERE target_id = ${id} AND verb = 'discard'`,
        ),
      ).toHaveLength(1);
  });

  it('needs a filter, a reason and an operator', async () => {
    expect(
      (await kit.call('POST', '/v1/event-batches', { body: { verb: 'requeue', reason: 'x' } })).status,
    ).toBe(400);
    expect(
      (await kit.call('POST', '/v1/event-batches', { body: { verb: 'requeue', type: 'X' } })).status,
    ).toBe(400);
    expect(
      (
        await kit.call('POST', '/v1/event-batches', {
          as: 'v',
          role: 'viewer',
          body: { verb: 'requeue', type: 'X', reason: 'x' },
        })
      ).status,
    ).toBe(403);
    const { body: empty } = await preview({ type: 'NOTHING' });
    expect((await execute(empty)).body).toMatchObject({ why: 'empty' });
    expect((await kit.call('GET', '/v1/event-batches/999999')).status).toBe(404);
  });

  /** The batch, and beside it what it requeues. */
  async function passed(id: string): Promise<string> {
    let runs = true;
    const slice = kit.pass(1, ['EVENT_BATCH']).finally(() => {
      runs = false;
    });
    for (; runs; await new Promise((resolve) => setTimeout(resolve, 10)))
      await kit.runtime.outbox.claimAndStart(); // as a poller would
    await slice;
    return (await read(id)).status;
  }

  it('stops by itself when more than half of the last twenty fail again', async () => {
    const ids = await refused(30);
    const { body: frozen } = await preview({ ratePerSecond: 20 });
    // The first ones go well, and then the vendor is as ill as before.
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'DISH_NOT_AVAILABLE', skip: 3 });
    await execute(frozen, { count: frozen.total });
    await expect.poll(() => passed(frozen.id), { timeout: 25_000 }).toBe('stopped');
    kit.sandbox.faults.clear();
    const batch = await read(frozen.id);
    expect(batch.why).toBe('more than half of the last twenty failed again');
    expect(batch.done).toBeLessThan(ids.length);
  });
});
