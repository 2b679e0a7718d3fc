import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { insertRow } from '../../src/database/rows.js';
import { now, sql } from '../../src/database/sql.js';
import { Complaint } from '../../src/entities/complaint.js';
import { grant } from '../../src/orders/order.js';
import type { OrderView } from '../../src/orders/view.js';
import { disagreements } from '../support/books.js';
import { databaseKinds } from '../support/databases.js';
import { type Answer, Kit } from '../support/kit.js';

interface Shown extends Record<string, unknown> {
  readonly id: string;
  readonly state: string;
  readonly grantedInCent: number | null;
  readonly reviews: { by: string; verdict: string; note: string | null }[];
  readonly code?: string;
  readonly currentStatus?: string;
}

describe.each(databaseKinds)('complaints on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;
  const someone = (): string => `com${++user}`;

  beforeAll(async () => {
    kit = await Kit.create(kind, { COMPLAINT_INSPECT_KINDS: 'quality' });
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });

  const complain = (
    order: Pick<OrderView, 'id'>,
    as: string,
    body: Record<string, unknown> = {},
    more: { key?: string; role?: 'user' | 'service' } = {},
  ): Promise<Answer<Shown>> =>
    kit.call('POST', `/v1/orders/${order.id}/complaints`, {
      as,
      body: { kind: 'missing', text: 'the rice was missing', wantedInCent: 800, ...body },
      ...more,
    });
  const step = (
    id: string,
    name: string,
    as: string,
    body: Record<string, unknown> | undefined = { note: 'seen' },
  ): Promise<Answer<Shown>> =>
    kit.call('POST', `/v1/complaints/${id}/${name}`, { as, role: 'manager', body, key: null });
  const accept = (id: string, more = {}) =>
    step(id, 'review', 'mia', { verdict: 'accept', note: 'ok', ...more });
  const read = async (id: string) =>
    (await kit.call<Shown>('GET', `/v1/complaints/${id}`, { as: 'v', role: 'viewer' })).body;
  const ordered = async (): Promise<{ order: OrderView; sub: string }> => {
    const sub = someone();
    return { order: await kit.ordered(menu, sub), sub };
  };
  /** Approved, with the refund still to come. */
  const approved = async (wantedInCent = 800): Promise<{ order: OrderView; sub: string; id: string }> => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub, { wantedInCent })).body;
    await accept(id);
    expect((await step(id, 'approve', 'noa')).body.state).toBe('APPROVED');
    return { order, sub, id };
  };
  const booksOf = async () =>
    (
      await kit.call<{ agree: boolean; sums: { name: string; expected: number; actual: number }[] }>(
        'GET',
        '/v1/books',
      )
    ).body;

  it('applied, accepted, approved by a second person, refunded in part under S<id>', async () => {
    const { order, sub } = await ordered();
    const applied = await complain(order, sub);
    expect(applied.status).toBe(201);
    expect(applied.body).toMatchObject({
      orderId: order.id,
      orderNo: order.orderNo,
      kind: 'missing',
      text: 'the rice was missing',
      wantedInCent: 800,
      grantedInCent: null,
      state: 'APPLIED',
      reviews: [],
    });
    const { id } = applied.body;
    const accepted = await accept(id, { grantedInCent: 500 });
    expect([accepted.status, accepted.body.state, accepted.body.grantedInCent]).toEqual([
      200,
      'ACCEPTED',
      500,
    ]);
    expect((await kit.read(order.id)).grantedInCent).toBe(0);
    const done = await step(id, 'approve', 'noa', { note: 'agreed' });
    expect([done.status, done.body.state]).toEqual([200, 'APPROVED']);
    expect(done.body.reviews.map(({ by, verdict, note }) => [by, verdict, note])).toEqual([
      ['mia', 'accept', 'ok'],
      ['noa', 'approve', 'agreed'],
    ]);
    expect((await kit.read(order.id)).grantedInCent).toBe(500);
    await kit.runDue();
    expect((await read(id)).state).toBe('REFUNDED');
    expect(kit.balanceOf(sub)).toBe(100_000 - order.priceInCent + 500);
    const refunds = kit.sandbox.ledger.books.refunds.filter(({ userId }) => userId === sub);
    expect(refunds.map(({ outRefundNo, amount }) => [outRefundNo, amount])).toEqual([[`S${id}`, 500]]);
    expect(await kit.read(order.id)).toMatchObject({ status: 'ORDERED', refund: 'NONE' });
    const story = (
      await kit.call<{ timeline: { what: string }[] }>('GET', `/v1/orders/${order.id}/timeline`)
    ).body.timeline.map(({ what }) => what);
    expect(story).toEqual(
      expect.arrayContaining([
        'complaint-applied',
        'complaint-review',
        'complaint-approve',
        'complaint-granted',
        'COMPLAINT_REFUND',
        'complaint-refunded',
      ]),
    );
  });

  it('shows in the books, which agree before and after', async () => {
    const before = await booksOf();
    const { order } = await approved(300);
    await kit.runDue();
    const after = await booksOf();
    const sumOf = ({ sums }: typeof after, name: string) => sums.find((one) => one.name === name);
    expect([before.agree, after.agree]).toEqual([true, true]);
    const name = 'complaints refunded (cents)';
    expect((sumOf(after, name)?.actual ?? 0) - (sumOf(before, name)?.actual ?? 0)).toBe(300);
    const kept = 'points kept (cents)';
    expect((sumOf(after, kept)?.actual ?? 0) - (sumOf(before, kept)?.actual ?? 0)).toBe(
      order.priceInCent - 300,
    );
    const vendors = await kit.call<{ agree: boolean; guilty: unknown[]; vendors: { guilty: unknown[] } }>(
      'GET',
      `/v1/books?day=${menu.date}&againstVendors=true`,
    );
    expect(vendors.body.vendors.guilty).toEqual([]);
  });

  it('approved by the one who accepted it, or by the diner: 403, and nothing is granted', async () => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub)).body;
    await accept(id);
    for (const as of ['mia', sub]) {
      const refused = await step(id, 'approve', as);
      expect([refused.status, refused.body.code]).toEqual([403, 'second-person-needed']);
    }
    expect(await read(id)).toMatchObject({ state: 'ACCEPTED' });
    expect((await kit.read(order.id)).grantedInCent).toBe(0);
  });

  it('a kind that is inspected goes through its box; one that is not, does not', async () => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub, { kind: 'quality' })).body;
    const refused = async (name: string, body?: Record<string, unknown>) => {
      const answer = await step(id, name, 'noa', body);
      expect([name, answer.status, answer.body.code]).toEqual([name, 409, 'complaint-state']);
    };
    await refused('returned', {});
    await accept(id);
    await refused('approve');
    await refused('inspect', { ok: true, note: 'x' });
    expect((await step(id, 'returned', 'noa', {})).body.state).toBe('RETURNED');
    await refused('approve');
    expect((await step(id, 'inspect', 'noa', { ok: true, note: 'cold indeed' })).body.state).toBe(
      'INSPECTED',
    );
    expect((await step(id, 'approve', 'noa')).body.state).toBe('APPROVED');
    const other = await ordered();
    const plain = (await complain(other.order, other.sub, { kind: 'late' })).body;
    await accept(plain.id);
    expect((await step(plain.id, 'returned', 'noa', {})).status).toBe(409);
  });

  it('a box that confirms nothing rejects the complaint; so does the review', async () => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub, { kind: 'quality' })).body;
    await accept(id);
    await step(id, 'returned', 'noa', {});
    expect((await step(id, 'inspect', 'noa', { ok: false, note: 'warm' })).body.state).toBe('REJECTED');
    const again = (await complain(order, sub)).body; // the first one is closed
    expect((await step(again.id, 'review', 'mia', { verdict: 'reject', note: 'no' })).body.state).toBe(
      'REJECTED',
    );
    for (const [name, body] of [
      ['review', { verdict: 'accept', note: 'x' }],
      ['approve', { note: 'x' }],
    ] as const) {
      const late = await step(again.id, name, 'noa', body);
      expect([late.status, late.body.code, late.body.currentStatus]).toEqual([
        409,
        'complaint-state',
        'REJECTED',
      ]);
    }
  });

  it('what cannot be complained about: 409; more than what is left: 400', async () => {
    const sub = someone();
    const code = async (order: Pick<OrderView, 'id'>, body = {}) => {
      const { status, body: told } = await complain(order, sub, body);
      return [status, told.code];
    };
    const notYet = (await kit.order(menu, sub)).body.orders[0] as OrderView; // ORDERING
    expect(await code(notYet)).toEqual([409, 'complaint-not-possible']);
    await kit.runDue();
    expect(await code(notYet, { wantedInCent: notYet.priceInCent + 1 })).toEqual([400, 'validation']);
    expect(await code(notYet, { wantedInCent: notYet.priceInCent })).toEqual([201, undefined]);
    expect(await code(notYet)).toEqual([409, 'complaint-not-possible']); // one is open
    const cancelled = await ordered();
    await kit.cancel(cancelled.order.id, cancelled.sub);
    expect((await complain(cancelled.order, cancelled.sub)).body.code).toBe('complaint-not-possible');
    const over = await ordered();
    const at = new Date(Date.now() - 49 * 3_600_000).toISOString();
    await kit.call('POST', '/v1/fulfilments', {
      role: 'service',
      body: { updates: [{ orderNo: over.order.orderNo, state: 'PICKED_UP', at }] },
    });
    expect((await complain(over.order, over.sub)).body.code).toBe('complaint-not-possible');
    expect((await complain({ id: '999999' }, sub)).status).toBe(404);
    expect((await complain(over.order, someone())).status).toBe(404); // another person's
    for (const body of [{ kind: 'cold' }, { text: ' ' }, { wantedInCent: 0 }, { wantedInCent: 1.5 }])
      expect((await complain(over.order, over.sub, body)).status).toBe(400);
  });

  it('after a refund what is left may be wanted, and no cent more', async () => {
    const { order, sub } = await approved(2_000);
    await kit.runDue();
    expect((await complain(order, sub, { wantedInCent: 301 })).status).toBe(400);
    const { id } = (await complain(order, sub, { wantedInCent: 300 })).body;
    expect((await accept(id, { grantedInCent: 301 })).status).toBe(400);
    expect((await accept(id)).status).toBe(200);
    await step(id, 'approve', 'noa');
    await kit.runDue();
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect((await kit.read(order.id)).grantedInCent).toBe(order.priceInCent);
  });

  it('the same key is the same complaint; a service complains for a diner', async () => {
    const { order, sub } = await ordered();
    const [first, again] = [
      await complain(order, sub, {}, { key: `k-${sub}` }),
      await complain(order, sub, {}, { key: `k-${sub}` }),
    ];
    expect([again.status, again.headers['idempotent-replayed'], again.body]).toEqual([
      201,
      'true',
      first.body,
    ]);
    const other = await ordered();
    expect((await complain(other.order, 'desk', {}, { role: 'service' })).status).toBe(201);
  });

  it('twenty complaints at once about one order are one', async () => {
    const { order, sub } = await ordered();
    const answers = await Promise.all(Array.from({ length: 20 }, () => complain(order, sub)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'complaint-not-possible')).toHaveLength(19);
  });

  it('twenty approvals at once of one complaint grant it once', async () => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub)).body;
    await accept(id);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => step(id, 'approve', `m${i}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
    await kit.runDue();
    expect((await kit.read(order.id)).grantedInCent).toBe(800);
    expect(kit.balanceOf(sub)).toBe(100_000 - order.priceInCent + 800);
  });

  it('twenty complaints that were accepted, approved at once: no cent more than the price', async () => {
    const { order, sub } = await ordered();
    // The rules let one be open at a time; here twenty are, so that only the guard on the order's row is left.
    const ids: string[] = [];
    for (let i = 0; i < 20; i++)
      ids.push(
        await insertRow(kit.database, Complaint, {
          orderId: order.id,
          openOrderId: null,
          orderNo: order.orderNo,
          userId: sub,
          kind: 'other',
          text: 'x',
          wantedInCent: 700,
          grantedInCent: 700,
          state: 'ACCEPTED',
          stateAt: new Date(),
          createdAt: new Date(),
        }),
      );
    const answers = await Promise.all(ids.map((id) => step(id, 'approve', 'noa')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3); // 3 × 7.00 of 23.00
    expect(answers.filter(({ body }) => body.code === 'complaint-state')).toHaveLength(17);
    expect((await kit.read(order.id)).grantedInCent).toBe(2_100);
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000 - order.priceInCent + 2_100);
    await kit.database.execute(
      sql`DELETE FROM complaint WHERE order_id = ${order.id} AND state = 'ACCEPTED'`,
    );
  });

  it('twenty grants at once by two real connections: the guard alone holds', async () => {
    const { order } = await ordered();
    const others = [
      await Database.open({ url: kit.env.DATABASE_URL ?? '', poolSize: 10 }),
      await Database.open({ url: kit.env.DATABASE_URL ?? '', poolSize: 10 }),
    ];
    const granted = await Promise.all(
      Array.from({ length: 20 }, (_, i) => others[i % 2]?.transaction((tx) => grant(tx, order.id, 700))),
    );
    expect(granted.filter((one) => one === true)).toHaveLength(3);
    expect((await kit.read(order.id)).grantedInCent).toBe(2_100);
    await kit.database.execute(sql`UPDATE box_order SET granted_in_cent = 0 WHERE id = ${order.id}`);
    for (const database of others) await database.close();
  });

  it('a cancel after a grant gives back the rest, and no more', async () => {
    const { order, sub } = await approved();
    await kit.runDue();
    expect((await kit.cancel(order.id, sub)).body.order).toMatchObject({
      refund: 'DONE',
      grantedInCent: 800,
    });
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000);
    const refunds = kit.sandbox.ledger.books.refunds.filter(({ userId }) => userId === sub);
    expect(refunds.map(({ amount }) => amount).sort()).toEqual([1_500, 800]);
    expect((await booksOf()).agree).toBe(true);
  });

  it('a cancel before the granted refund was made: both come, once', async () => {
    const { order, sub } = await approved();
    await kit.cancel(order.id, sub);
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect((await booksOf()).agree).toBe(true);
  });

  it('a cancel of an order whose whole price was granted has nothing to give back', async () => {
    const { order, sub } = await approved(2_300);
    await kit.runDue();
    const cancelled = await kit.cancel(order.id, sub);
    expect([cancelled.status, cancelled.body.order.refund]).toEqual([200, 'DONE']);
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect((await booksOf()).agree).toBe(true);
  });

  it('cancels and approvals at once: the diner gets the price back, never more', async () => {
    for (let round = 0; round < 8; round++) {
      const { order, sub } = await ordered();
      const { id } = (await complain(order, sub)).body;
      await accept(id);
      await Promise.all([kit.cancel(order.id, sub), step(id, 'approve', 'noa')]);
      await kit.settleAll();
      expect(kit.balanceOf(sub)).toBe(100_000);
    }
    expect((await booksOf()).agree).toBe(true);
  });

  it('an order that ended: its complaint cannot be approved, and is closed by a rejection', async () => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub)).body;
    await accept(id);
    await kit.cancel(order.id, sub);
    const refused = await step(id, 'approve', 'noa');
    expect([refused.status, refused.body.code]).toEqual([409, 'complaint-state']);
    const closed = await step(id, 'review', 'mia', { verdict: 'reject', note: 'cancelled' });
    expect([closed.status, closed.body.state]).toEqual([200, 'REJECTED']);
  });

  it('a refund that got no answer is asked about, and made once; its discard is refused', async () => {
    const { sub, id, order } = await approved();
    kit.fault({ call: 'energy.unPay', kind: 'reset-after', times: 1 });
    const event = await kit.eventOf(order.id, 'COMPLAINT_REFUND');
    const discarded = await kit.call('POST', `/v1/events/${event.id}/discard`, { body: { reason: 'x' } });
    expect(discarded.body.code).toBe('event-not-discardable');
    await kit.settleAll();
    expect((await read(id)).state).toBe('REFUNDED');
    expect(kit.balanceOf(sub)).toBe(100_000 - order.priceInCent + 800);
  });

  it('COMPLETED waits for an open complaint, and comes when it ends', async () => {
    const { order, sub } = await ordered();
    const at = new Date(Date.now() - 47 * 3_600_000).toISOString();
    await kit.call('POST', '/v1/fulfilments', {
      role: 'service',
      body: { updates: [{ orderNo: order.orderNo, state: 'PICKED_UP', at }] },
    });
    const { id } = (await complain(order, sub)).body;
    await kit.database.execute(
      sql`UPDATE box_order SET fulfilment_at = '2026-01-01 00:00:00.000' WHERE id = ${order.id}`,
    );
    await kit.pass(1, ['FULFILMENT_CLOSE']);
    expect((await kit.read(order.id)).fulfilment).toBe('PICKED_UP');
    await step(id, 'review', 'mia', { verdict: 'reject', note: 'no' });
    await kit.runDue();
    expect((await kit.read(order.id)).fulfilment).toBe('COMPLETED');
  });

  it('one that waits too long raises an alert, which recovers when it moves', async () => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub)).body;
    const alerts = () =>
      kit.database.query<{ status: string; occurrences: number }>(
        sql`SELECT status, occurrences FROM alert WHERE kind = 'complaint-waiting'`,
      );
    await kit.pass(1, ['COMPLAINT_REMINDER']);
    expect(await alerts()).toEqual([]);
    await kit.database.execute(
      sql`UPDATE complaint SET state_at = '2026-01-01 00:00:00.000' WHERE id = ${id}`,
    );
    await kit.pass(1, ['COMPLAINT_REMINDER']);
    expect(await alerts()).toMatchObject([{ status: 'open', occurrences: 1 }]);
    await kit.pass(1, ['WECOM_ALERT']);
    expect(
      kit.robotTexts().some((text) => text.includes('投诉等待处理过久') && text.includes(order.orderNo)),
    ).toBe(true);
    await step(id, 'review', 'mia', { verdict: 'reject', note: 'no' });
    await kit.database.execute(sql`UPDATE alert SET sent_at = '2026-01-01 00:00:00.000'`);
    await kit.pass(1, ['WECOM_ALERT']);
    expect(await alerts()).toMatchObject([{ status: 'recovered' }]);
    await kit.database.execute(sql`UPDATE outbox_event SET run_at = ${now} WHERE type = 'NONE'`);
  });

  it('is listed for managers, viewers and its owner, by state', async () => {
    const { order, sub } = await ordered();
    const { id } = (await complain(order, sub)).body;
    const list = async (as: string, role: 'user' | 'manager' | 'viewer', query = '') =>
      (await kit.call<{ data: Shown[] }>('GET', `/v1/complaints${query}`, { as, role })).body.data.map(
        (one) => one.id,
      );
    expect(await list(sub, 'user')).toEqual([id]);
    expect(await list('m', 'manager')).toContain(id);
    expect(await list('v', 'viewer', '?state=APPLIED&limit=100')).toContain(id);
    expect(await list('v', 'viewer', '?state=REFUNDED&limit=100')).not.toContain(id);
    expect(await list(someone(), 'user')).toEqual([]);
    expect((await kit.call('GET', `/v1/complaints/${id}`, { as: someone() })).status).toBe(404);
    expect((await kit.call('GET', `/v1/complaints/${id}`, { as: sub })).status).toBe(200);
    expect((await step(id, 'approve', 'op', { note: 'x' })).status).toBe(409);
    const byOperator = await kit.call('POST', `/v1/complaints/${id}/approve`, { body: { note: 'x' } });
    expect(byOperator.status).toBe(403);
  });

  it('the words of a diner are kept without addresses and numbers', async () => {
    const { order, sub } = await ordered();
    const { body } = await complain(order, sub, { text: 'cold,\ncall 13812349876 or a@example.com' });
    expect(body.text).toContain('\n');
    expect(body.text).not.toMatch(/13812349876|a@example/);
  });

  it('at the end, our books and the vendors’ agree', async () => {
    await kit.settleAll();
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  });
});
