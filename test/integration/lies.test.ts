import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import type { Call, FaultRule } from '../../src/sandbox/faults.js';
import { mulberry32 } from '../../src/sandbox/faults.js';
import { disagreementsOf } from '../support/books.js';
import { Kit, tomorrow } from '../support/kit.js';

/**
 * Whatever a vendor does: at rest the books agree, or the order is named, by an errored event or by the comparison with the vendors' books.
 * Every fault for every call that changes a vendor's books, alone and in pairs. Pairs: a seeded sample of those on one call; LIES=same runs all of these, LIES=all those on any two calls, LIES_SHARD=2/4 the second quarter, LIES_FROM=900 those behind the first 900.
 * What a single one leads to is written in docs/lies.md (LIES_WRITE=1 writes it), and compared here.
 */
const changing: Call[] = ['meican.addOrder', 'meican.cancelOrder', 'energy.pay', 'energy.closePay', 'energy.unPay'];
const lies: Omit<FaultRule, 'call'>[] = [
  { kind: 'latency', ms: 50 },
  { kind: 'hang-before' },
  { kind: 'hang-after' },
  { kind: 'reset-before' },
  { kind: 'reset-after' },
  { kind: 'status-before', status: 500 },
  { kind: 'status-before', status: 503 },
  { kind: 'status-after', status: 502 },
  { kind: 'status-after', status: 503 },
  { kind: 'malformed-after', variant: 'truncated' },
  { kind: 'malformed-after', variant: 'null' },
  { kind: 'malformed-after', variant: 'null-data' },
  { kind: 'malformed-after', variant: 'blank-id' },
  { kind: 'malformed-after', variant: 'wrong-types' },
  { kind: 'late-effect', ms: 150 },
  { kind: 'lost-effect' },
  { kind: 'refused' },
  { kind: 'rate-limit' },
  { kind: 'rate-limit', variant: 'http' },
  { kind: 'unauthorized' },
  { kind: 'drip' },
  { kind: 'close-idle' },
  { kind: 'oversize' },
];
const special: [Call, Omit<FaultRule, 'call'>][] = [
  ['meican.addOrder', { kind: 'multi', variant: 'own' }],
  ['meican.addOrder', { kind: 'multi', variant: 'foreign' }],
  ['meican.addOrder', { kind: 'multi', variant: 'none' }],
  ['meican.addOrder', { kind: 'refused', code: 'DISH_NOT_AVAILABLE' }],
  ['meican.addOrder', { kind: 'refused', code: 'NOT_FOUND' }],
  ['meican.cancelOrder', { kind: 'already-cancelled' }],
  ['energy.pay', { kind: 'processing', ms: 60, variant: 'SUCCESS' }],
  ['energy.pay', { kind: 'processing', ms: 60, variant: 'FAILED' }],
  ['energy.pay', { kind: 'processing', ms: 60_000, variant: 'SUCCESS' }],
  ['energy.pay', { kind: 'refused', code: '40301' }],
  ['energy.pay', { kind: 'refused', code: '50001' }],
  ['energy.unPay', { kind: 'processing', ms: 60, variant: 'SUCCESS' }],
  ['energy.unPay', { kind: 'processing', ms: 60, variant: 'FAILED' }],
  ['energy.unPay', { kind: 'refused', code: '50002' }],
  ['energy.unPay', { kind: 'refused', code: '40902' }],
  ['energy.unPay', { kind: 'refused', code: '40401' }],
];
const singles: [Call, Omit<FaultRule, 'call'>][] = [...changing.flatMap((call) => lies.map((lie): [Call, Omit<FaultRule, 'call'>] => [call, lie])), ...special];
const pairs = singles.flatMap((one) => singles.filter((other) => other[0] === one[0] || process.env.LIES === 'all').map((other) => [one, other] as const));
const random = mulberry32(2026);
const [shard = 1, shards = 1] = (process.env.LIES_SHARD ?? '1/1').split('/').map(Number);
const sample = process.env.LIES
  ? pairs.filter((_pair, i) => i % shards === shard - 1).slice(Number(process.env.LIES_FROM ?? 0))
  : pairs.filter(() => random() < 60 / pairs.length);
const table = new URL('../../docs/lies.md', import.meta.url);

const name = ([call, { kind, variant, code, status, ms }]: (typeof singles)[number]): string =>
  [call, kind, variant ?? code ?? status ?? '', kind === 'processing' ? `after ${ms} ms` : ''].join(' ').trim();

describe('whatever a vendor does, the books agree or the order is named', () => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;

  beforeAll(async () => {
    kit = await Kit.create('sqlite', { MEICAN_TIMEOUT_MS: '150', ENERGY_TIMEOUT_MS: '150' });
    menu = await kit.menu({ stock: 100_000, capacity: 100_000 });
  });
  afterAll(() => kit.close());

  const rows = new Map<string, string>();

  /** Order, wait, cancel, wait; the client repeats what was answered with a 5xx. Returns what it led to, as a row of the table. */
  async function story(faults: readonly (typeof singles)[number][]): Promise<string> {
    const sub = `lie${++user}`;
    kit.sandbox.faults.clear();
    kit.fault(...faults.map(([call, lie]) => ({ call, times: 1, ...lie })));
    // Closing a payment happens only after one that is in doubt.
    if (faults.some(([call]) => call === 'energy.closePay')) kit.fault({ call: 'energy.pay', kind: 'reset-after', times: 1 });
    const stock = await kit.stockOf(menu);
    let placed = await kit.order(menu, sub, sub);
    const heard = [placed.status];
    for (let again = 0; again < 3 && placed.status >= 500; again++) {
      placed = await kit.order(menu, sub, sub);
      heard.push(placed.status);
    }
    await kit.settleAll(15);
    await expect.poll(() => kit.sandbox.lateCount).toBe(0); // what comes late comes after a second try and before the cancel, on a slow machine, too
    const id = placed.body.orders?.[0]?.id;
    const meal = await lastOrder(sub);
    let cancelled = '–';
    if (id && meal === 'ORDERED') {
      const answer = await kit.cancel(id, sub);
      expect([200, 202]).toContain(answer.status);
      await kit.settleAll(15);
      cancelled = String(answer.status);
    }
    kit.sandbox.faults.clear();
    await expect.poll(() => kit.sandbox.lateCount).toBe(0);
    await expect.poll(() => kit.sandbox.ledger.books.refunds.every((refund) => refund.userId !== sub || refund.status !== 'PROCESSING')).toBe(true);
    await kit.settleAll(15);

    const events = await kit.database.query<{ status: string; subject_no: string; type: string; dedupe_key: string }>(sql`
      SELECT e.status, e.subject_no, e.type, e.dedupe_key FROM outbox_event e JOIN box_order o ON o.id = e.subject_id WHERE o.user_id = ${sub}`);
    expect(events.filter((event) => event.status === 'pending' && !event.dedupe_key.endsWith(':ghost'))).toEqual([]);
    const errored = events.filter((event) => event.status === 'errored');
    const named = new Set(events.filter((event) => event.status === 'errored').map((event) => event.subject_no));
    const differences = await disagreementsOf(kit.database, kit.sandbox.ledger.books, sub);
    const compares = differences.some(({ orderNo }) => !named.has(orderNo));
    if (compares) {
      await kit.database.execute(sql`UPDATE box_order SET updated_at = created_at WHERE user_id = ${sub}`);
      const compared = await kit.call<{ vendors: { guilty: { orderNo: string }[] } }>('GET', `/v1/books?day=${tomorrow}&againstVendors=true`);
      for (const { orderNo } of compared.body.vendors.guilty) named.add(orderNo);
    }
    expect(differences.filter(({ orderNo }) => !named.has(orderNo))).toEqual([]);
    const refunds = kit.sandbox.ledger.books.refunds.filter((refund) => refund.userId === sub && refund.status === 'SUCCESS');
    expect(new Set(refunds.map((refund) => refund.outTradeNo)).size).toBe(refunds.length); // no payment is refunded twice
    const live = await kit.database.query(sql`SELECT id FROM box_order WHERE user_id = ${sub} AND status IN ('PAYING', 'ORDERING', 'ORDERED')`);
    expect(await kit.stockOf(menu)).toEqual({ dish: stock.dish - live.length, sideboard: stock.sideboard - live.length });
    const [order] = await kit.database.query<{ status: string; refund: string }>(
      sql`SELECT status, refund FROM box_order WHERE user_id = ${sub} ORDER BY id DESC LIMIT 1`,
    );
    const end = `${order?.status ?? 'none'}${order && order.refund !== 'NONE' ? `, refund ${order.refund}` : ''}`;
    const person = errored.length > 0 ? errored.map((event) => `${event.type} errored`).join(', ') : compares ? 'by the comparison of the books' : 'no';
    const books = differences.length === 0 ? 'agree' : differences.map(({ what }) => what).join('; ');
    // Out of the way of the next story's comparison.
    await kit.database.execute(sql`UPDATE box_order SET edible_date = '2000-01-01' WHERE user_id = ${sub}`);
    const { ledger } = kit.sandbox;
    const { sequence } = ledger.books;
    ledger.reset();
    ledger.books.sequence = sequence; // ids are never given twice
    return `| ${heard.join(', ')} | ${meal} | ${cancelled} | ${end} | ${books} | ${person} |`;
  }

  async function lastOrder(sub: string): Promise<string> {
    const [row] = await kit.database.query<{ status: string }>(sql`SELECT status FROM box_order WHERE user_id = ${sub} ORDER BY id DESC LIMIT 1`);
    return row?.status ?? 'none';
  }

  it.each(singles.map((single) => [name(single), single] as const))('%s', async (title, single) => {
    const [call, ...fault] = title.split(' ');
    rows.set(title, `| ${call} | ${fault.join(' ')} ${await story([single])}`);
  });

  it('docs/lies.md tells what each of them leads to', () => {
    if (rows.size < singles.length) return; // only some were run
    const text = readFileSync(table, 'utf8');
    const head = text.slice(0, text.indexOf('\n|---') + 1);
    const wanted = `${head}|---|---|---|---|---|---|---|---|\n${[...rows.values()].join('\n')}\n`;
    if (process.env.LIES_WRITE) writeFileSync(table, wanted);
    expect(readFileSync(table, 'utf8')).toBe(wanted);
  });

  it.each(sample.map((pair) => [`${name(pair[0])}, then ${name(pair[1])}`, pair] as const))('%s', async (_name, pair) => void (await story(pair)));
});
