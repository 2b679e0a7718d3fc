import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

const states = ['COOKING', 'ON_THE_WAY', 'IN_CABINET', 'PICKED_UP', 'NOT_PICKED_UP'] as const;
type Told = (typeof states)[number];
const HOUR_MS = 3_600_000;

describe.each(databaseKinds)('fulfilment on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;
  const someone = (): string => `ful${++user}`;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });

  const tell = async (...updates: { orderNo: string; state: string; at?: string }[]) => {
    const body = { updates: updates.map((update) => ({ at: new Date().toISOString(), ...update })) };
    const answer = await kit.call<{ results: { orderNo: string; result: string }[]; code?: string }>(
      'POST',
      '/v1/fulfilments',
      { as: 'cabinets', role: 'service', body, key: null },
    );
    return { status: answer.status, results: answer.body.results?.map(({ result }) => result) };
  };
  const ago = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString();
  const closing = async (orderId: string) =>
    (await kit.events(`&orderId=${orderId}`)).filter(({ type }) => type === 'FULFILMENT_CLOSE');

  it('moves on, step by step; the same again is known, what comes late is older', async () => {
    const { id, orderNo, status } = await kit.ordered(menu, someone());
    expect((await kit.read(id)).fulfilment).toBe('NONE');
    for (const state of ['COOKING', 'ON_THE_WAY', 'IN_CABINET', 'PICKED_UP'] as const) {
      expect(await tell({ orderNo, state })).toEqual({ status: 200, results: ['moved'] });
      expect(await tell({ orderNo, state })).toEqual({ status: 200, results: ['known'] });
      expect(await kit.read(id)).toMatchObject({ fulfilment: state, status });
    }
    for (const state of ['COOKING', 'IN_CABINET', 'NOT_PICKED_UP'] as const)
      expect((await tell({ orderNo, state })).results).toEqual(['older']);
    const { body } = await kit.call<{ timeline: { what: string; detail: { state?: string } }[] }>(
      'GET',
      `/v1/orders/${id}/timeline`,
    );
    expect(
      body.timeline.flatMap(({ what, detail }) => (what === 'fulfilment' ? [detail.state] : [])),
    ).toEqual(['COOKING', 'ON_THE_WAY', 'IN_CABINET', 'PICKED_UP']);
  });

  it('steps may be left out, and one request may tell several, in its order', async () => {
    const one = await kit.ordered(menu, someone());
    const two = await kit.ordered(menu, someone());
    const answer = await tell(
      { orderNo: two.orderNo, state: 'PICKED_UP' },
      { orderNo: 'nobody', state: 'COOKING' },
      { orderNo: one.orderNo, state: 'COOKING' },
      { orderNo: one.orderNo, state: 'IN_CABINET' },
      { orderNo: one.orderNo, state: 'COOKING' },
      { orderNo: two.orderNo, state: 'IN_CABINET' },
    );
    expect(answer.results).toEqual(['moved', 'not-found', 'moved', 'moved', 'older', 'older']);
  });

  it('every state from every state: on or not, never back, whatever the order of the messages', async () => {
    const rank = (state: string): number => Math.min([...states].indexOf(state as Told) + 1, 4);
    for (const from of states)
      for (const to of states) {
        const { orderNo } = await kit.ordered(menu, someone());
        await tell({ orderNo, state: from });
        const wanted = from === to ? 'known' : rank(to) > rank(from) ? 'moved' : 'older';
        expect([from, to, (await tell({ orderNo, state: to })).results]).toEqual([from, to, [wanted]]);
      }
  });

  it('twenty messages at once about one box: each step once', async () => {
    const { id, orderNo } = await kit.ordered(menu, someone());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => tell({ orderNo, state: states[i % 4] ?? 'COOKING' })),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const steps = await kit.database.query(
      sql`SELECT detail FROM order_step WHERE order_id = ${id} AND kind = 'fulfilment'`,
    );
    const moved = answers.flatMap(({ results }) => results).filter((result) => result === 'moved');
    expect(steps).toHaveLength(moved.length);
    expect((await kit.read(id)).fulfilment).toBe('PICKED_UP');
  });

  it('an order that is cancelled, or not paid, is not live', async () => {
    const sub = someone();
    const { id, orderNo } = await kit.ordered(menu, sub);
    await kit.cancel(id, sub);
    expect((await tell({ orderNo, state: 'COOKING' })).results).toEqual(['not-live']);
    expect((await kit.read(id)).fulfilment).toBe('NONE');
  });

  it('the diner’s card names the cabinet, once', async () => {
    const sub = someone();
    const { orderNo } = await kit.ordered(menu, sub);
    await tell({ orderNo, state: 'IN_CABINET' });
    await tell({ orderNo, state: 'IN_CABINET' });
    await kit.runDue();
    const cards = kit.sandbox.ledger.books.appMessages.filter(({ to }) => to === sub);
    expect(cards).toHaveLength(1);
    expect(JSON.stringify(cards[0]?.content)).toContain('A-1');
    expect(JSON.stringify(cards[0]?.content)).toContain(orderNo);
  });

  it('not picked up within the window: NOT_PICKED_UP, then COMPLETED', async () => {
    const { id, orderNo } = await kit.ordered(menu, someone());
    await tell({ orderNo, state: 'IN_CABINET', at: ago(5) });
    await kit.pass();
    expect((await kit.read(id)).fulfilment).toBe('IN_CABINET'); // six hours are not over
    expect((await closing(id)).map(({ status }) => status)).toEqual(['pending']);
    await kit.database.execute(
      sql`UPDATE box_order SET fulfilment_at = '2026-01-01 00:00:00.000' WHERE id = ${id}`,
    );
    await kit.pass();
    expect((await kit.read(id)).fulfilment).toBe('NOT_PICKED_UP');
    await kit.database.execute(
      sql`UPDATE box_order SET fulfilment_at = '2026-01-01 00:00:00.000' WHERE id = ${id}`,
    );
    await kit.pass();
    expect((await kit.read(id)).fulfilment).toBe('COMPLETED');
    expect((await closing(id)).map(({ status }) => status)).toEqual(['handled', 'handled']);
  });

  it('COMPLETED comes a window after the box was picked up, by the instant that was told', async () => {
    const { id, orderNo } = await kit.ordered(menu, someone());
    await tell({ orderNo, state: 'IN_CABINET', at: ago(60) }, { orderNo, state: 'PICKED_UP', at: ago(49) });
    await kit.runDue();
    expect((await kit.read(id)).fulfilment).toBe('COMPLETED');
    expect((await tell({ orderNo, state: 'PICKED_UP' })).results).toEqual(['older']);
    const late = await kit.ordered(menu, someone());
    await tell({ orderNo: late.orderNo, state: 'PICKED_UP', at: ago(47) });
    await kit.runDue();
    expect((await kit.read(late.id)).fulfilment).toBe('PICKED_UP');
  });

  it('an instant in the future does not lengthen the window', async () => {
    const { id, orderNo } = await kit.ordered(menu, someone());
    await tell({ orderNo, state: 'PICKED_UP', at: ago(-1_000) });
    const { fulfilmentAt } = await kit.row(id);
    expect(fulfilmentAt?.getTime()).toBeLessThanOrEqual(Date.now() + 5_000);
  });

  it('five hundred at once; one more, or what cannot be told, is refused', async () => {
    const { orderNo } = await kit.ordered(menu, someone());
    const many = Array.from({ length: 499 }, (_, i) => ({ orderNo: `X${i}`, state: 'COOKING' }));
    const answer = await tell(...many, { orderNo, state: 'COOKING' });
    expect([answer.results?.length, answer.results?.at(-1)]).toEqual([500, 'moved']);
    expect((await tell(...many, { orderNo, state: 'COOKING' }, { orderNo, state: 'COOKING' })).status).toBe(
      400,
    );
    for (const state of ['NONE', 'COMPLETED', 'EATEN'])
      expect((await tell({ orderNo, state })).status).toBe(400);
  });

  it('the books are as they were: neither money nor stock reads it', async () => {
    const before = (await kit.call('GET', '/v1/books')).body;
    const { orderNo } = await kit.ordered(menu, someone());
    await tell({ orderNo, state: 'PICKED_UP' });
    await kit.runDue();
    const after = (await kit.call<{ agree: boolean; pending: number }>('GET', '/v1/books')).body;
    expect(after).toMatchObject({ agree: true, pending: 0 });
    expect(before.agree).toBe(true);
  });
});
