import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AlipayClient } from '../../src/clients/alipay.js';
import type { Outcome } from '../../src/clients/outcome.js';
import type { Payer } from '../../src/clients/payer.js';
import type { CallContext } from '../../src/clients/transport.js';
import { WeChatPayClient } from '../../src/clients/wechat-pay.js';
import type { Exchange } from '../../src/entities/event-attempt.js';
import { freePort } from '../support/free-port.js';
import { everyFault, isQuestion } from '../vendors/every-fault.js';
import { type Fault, PAYER_CALLS, type PayerName } from '../vendors/fault.js';
import { BUYER } from '../vendors/payers/alipay-note.js';
import { isNotification } from '../vendors/payers/faults.js';
import { type ServedPayers, servePayers } from '../vendors/payers/serve.js';
import { OPENID } from '../vendors/payers/wechat-note.js';
import { payersOf } from './payers.js';

const TIMEOUT_MS = 400;
let served: ServedPayers;
let clients: Record<PayerName, Payer>;
let journal: Exchange[] = [];
let number = 0;

const context = (): CallContext => ({
  requestId: 'request-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  journal: (entry) => journal.push(entry),
});

beforeAll(async () => {
  served = await servePayers();
  clients = payersOf(served.settings, TIMEOUT_MS);
});
afterAll(async () => {
  for (const client of Object.values(clients)) client.end();
  await served.close();
});
beforeEach(() => {
  served.plan.clear();
  journal = [];
});

const wanted = (paymentNo: string) => ({
  paymentNo,
  amountInCent: 2300,
  description: '午餐：宫保鸡丁',
  expiresAt: new Date(Date.now() + 900_000),
  notifyUrl: 'http://127.0.0.1:9/v1/payments/notify',
});
const refundOf = (paymentNo: string) => ({
  paymentNo,
  refundNo: `R${paymentNo}`,
  amountInCent: 1300,
  totalInCent: 2300,
  reason: 'cancelled',
});

/** Brings a new number to where the call makes sense, and returns the call. */
async function prepare(call: (typeof PAYER_CALLS)[number]): Promise<() => Promise<Outcome<unknown>>> {
  const [payer, what] = call.split('.') as [PayerName, string];
  const client = clients[payer];
  const no = `W20261124${String(++number).padStart(6, '0')}`;
  if (what === 'create') return () => client.create(wanted(no), context());
  await client.create(wanted(no), context());
  if (payer === 'alipay') served.alipay.scan(no);
  if (what === 'query') return () => client.query(no, context());
  if (what === 'close') return () => client.close(no, context());
  served[payer].pay(no);
  if (what === 'refund') return () => client.refund(refundOf(no), context());
  await client.refund(refundOf(no), context());
  return () => client.queryRefund(refundOf(no), context());
}

/** What the caller must make of a fault. */
function expected(fault: Fault): unknown {
  const isRead = isQuestion(fault.call);
  const applied = (value: unknown) => ({ kind: 'applied', value });
  const answered = { kind: 'applied' };
  const doubt = { kind: 'unknown' };
  switch (fault.kind) {
    case 'latency':
    case 'lost-effect':
    case 'skew':
    case 'paid-early':
      return answered;
    case 'idle-close':
    case 'refuse-connection':
    case 'reset-before':
    case 'oversize':
      return isRead ? answered : doubt; // a question is repeated by itself
    case 'rate-limit':
      return { kind: 'not-applied', retryAfterMs: 1_000 };
    case 'malformed-after':
      // Alipay's close answers with nothing that could be null but the number.
      return fault.call === 'alipay.close' && fault.form === 'null-data' ? answered : doubt;
    case 'refused':
      if (fault.code.endsWith('SYSTEM_ERROR')) return doubt;
      return fault.call === 'wechat.close' ? applied('NOT_YET') : { kind: 'rejected', code: fault.code };
    case 'paid-before':
      return applied('PAID');
    case 'user-paying':
      return applied(fault.call === 'wechat.close' ? 'NOT_YET' : { kind: 'WAITING' });
    case 'read-lag':
    case 'not-found':
      return applied(fault.call.endsWith('queryRefund') ? 'NONE' : { kind: 'NONE' });
    case 'processing':
      return applied('PROCESSING');
    case 'failed':
      return applied(fault.call === 'wechat.refund' ? 'FAILED' : 'PROCESSING');
    case 'abnormal':
      return { kind: 'rejected', code: 'ABNORMAL' };
    default:
      return doubt;
  }
}

const DURATIONS = {
  latencyMs: 30,
  lateMs: 20,
  processingMs: 60_000,
  lagMs: 60_000,
  retryAfterS: 1,
  oversizeBytes: 3_000_000,
};

describe.each(PAYER_CALLS.filter((call) => !isNotification(call)))('%s is classified', (call) => {
  it.each(
    everyFault(call, DURATIONS).map(
      (fault) => [JSON.stringify({ ...fault, call: undefined }), fault] as const,
    ),
  )('%s', async (_, { call: _call, ...kind }) => {
    const run = await prepare(call);
    const before = served.plan.arrived.get(call) ?? 0;
    served.plan.next(call, kind);
    expect(await run()).toMatchObject(expected({ call, ...kind }) as object);
    const times = (served.plan.arrived.get(call) ?? 0) - before;
    // A write is never repeated by itself, but for one that was refused unread.
    if (!isQuestion(call)) expect(times).toBe(kind.kind === 'skew' ? 2 : 1);
  });

  it('that reached nobody was not applied', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const away = payersOf(
      { ...served.settings, WECHATPAY_BASE_URL: nowhere, ALIPAY_BASE_URL: nowhere },
      TIMEOUT_MS,
    );
    const client = away[call.startsWith('wechat') ? 'wechat' : 'alipay'];
    expect((await client.close('W1', context())).kind).toBe('not-applied');
    client.end();
  });
});

describe.each(['wechat', 'alipay'] as const)('%s, from the code to the money back', (payer) => {
  it('tells each state of a payment', async () => {
    const client = clients[payer];
    const no = `W20261124${String(++number).padStart(6, '0')}`;
    const payment = wanted(no); // the same number means the same content, to the second
    expect(await client.query(no, context())).toMatchObject({ kind: 'applied', value: { kind: 'NONE' } });
    expect(await client.close(no, context())).toMatchObject({ kind: 'applied', value: 'NONE' });
    expect(await client.create(payment, context())).toMatchObject({
      kind: 'applied',
      value: { payUrl: expect.stringContaining(no) },
    });
    const unseen = payer === 'alipay' ? 'NONE' : 'WAITING';
    expect(await client.query(no, context())).toMatchObject({ value: { kind: unseen } });
    served[payer].pay(no);
    expect(await client.query(no, context())).toMatchObject({ value: { kind: 'PAID', amountInCent: 2300 } });
    expect(await client.close(no, context())).toMatchObject({ kind: 'applied', value: 'PAID' });
    expect((await client.create(payment, context())).kind).toBe('unknown'); // an earlier create was carried out
  });

  it('closes once, and again without harm', async () => {
    const run = await prepare(`${payer}.close`);
    expect(await run()).toMatchObject({ kind: 'applied', value: 'CLOSED' });
    expect(await run()).toMatchObject({ kind: 'applied', value: 'CLOSED' });
  });

  it('gives money back in parts, each once', async () => {
    const run = await prepare(`${payer}.refund`);
    const no = [...served[payer].books.trades.keys()].at(-1) ?? '';
    expect(await run()).toMatchObject({ kind: 'applied', value: 'SUCCESS' });
    expect(await run()).toMatchObject({ kind: 'applied', value: 'SUCCESS' });
    const rest = { ...refundOf(no), refundNo: 'S7', amountInCent: 1000 };
    expect(await clients[payer].refund(rest, context())).toMatchObject({ value: 'SUCCESS' });
    expect(served[payer].books.refunded(no)).toBe(2300);
    expect(await clients[payer].queryRefund({ paymentNo: no, refundNo: 'S7' }, context())).toMatchObject({
      value: 'SUCCESS',
    });
    expect(await clients[payer].queryRefund({ paymentNo: no, refundNo: 'S8' }, context())).toMatchObject({
      value: 'NONE',
    });
    expect(await clients[payer].refund({ ...rest, refundNo: 'S9' }, context())).toMatchObject({
      kind: 'rejected',
    });
  });

  it('sends nothing that a payer would complain about', async () => {
    served[payer].forgetComplaints();
    for (const call of PAYER_CALLS.filter((name) => name.startsWith(payer) && !isNotification(name)))
      await (await prepare(call))();
    const long = {
      ...wanted(`W20261124${String(++number).padStart(6, '0')}`),
      description: '餐'.repeat(400),
    };
    expect((await clients[payer].create(long, context())).kind).toBe('applied');
    expect(served[payer].complaints).toEqual([]);
  });
});

it('a number that would lead to another resource is not sent', async () => {
  expect(await clients.wechat.query('..', context())).toMatchObject({
    kind: 'rejected',
    code: 'UNSAFE_PATH',
  });
});

it('a close that the payer refuses for now, by whatever code the settings name, is not yet', async () => {
  const tooEarly = { ...served.settings, WECHATPAY_CODES: JSON.stringify({ notYet: ['TOO_EARLY'] }) };
  const client = payersOf(tooEarly, TIMEOUT_MS).wechat;
  const run = await prepare('wechat.close');
  served.plan.next(
    'wechat.close',
    { kind: 'refused', code: 'TOO_EARLY' },
    { kind: 'refused', code: 'TOO_EARLY' },
  );
  expect(await run()).toMatchObject({ kind: 'unknown', code: 'TOO_EARLY' });
  expect(await client.close('W1', context())).toMatchObject({ kind: 'applied', value: 'NOT_YET' });
  client.end();
});

it('the journal keeps neither keys, nor signatures, nor who paid', async () => {
  for (const call of PAYER_CALLS.filter((name) => !isNotification(name))) await (await prepare(call))();
  const paid = [...served.wechat.books.trades.values(), ...served.alipay.books.trades.values()];
  for (const { outTradeNo, transactionNo } of paid.filter((trade) => trade.transactionNo !== null)) {
    const payer = served.wechat.books.trades.has(outTradeNo) ? 'wechat' : 'alipay';
    expect(transactionNo).not.toBeNull();
    await clients[payer].query(outTradeNo, context());
  }
  const kept = JSON.stringify(journal);
  expect(journal.map(({ call }) => call)).toEqual(
    expect.arrayContaining(['wechatpay.create', 'wechatpay.refund', 'alipay.query', 'alipay.refund']),
  );
  for (const secret of [OPENID, ...Object.values(BUYER), served.keys.apiV3Key, 'PRIVATE KEY', 'WECHATPAY2'])
    expect(kept).not.toContain(secret);
  const base64 = /[A-Za-z0-9+/]{100}/; // a signature
  expect(base64.test(kept)).toBe(false);
  expect(kept).toContain('out_trade_no');
});

describe('a client does not start with what is no key', () => {
  const changed = (more: Record<string, string>) => () => payersOf({ ...served.settings, ...more }, 1);
  it.each([
    ['an empty private key', { WECHATPAY_PRIVATE_KEY: '' }],
    ['a public key for a private one', { ALIPAY_PRIVATE_KEY: 'ALIPAY_PUBLIC_KEY' }],
    ['a private key for a public one', { ALIPAY_PUBLIC_KEY: 'ALIPAY_PRIVATE_KEY' }],
    ['a short API v3 key', { WECHATPAY_API_V3_KEY: 'x'.repeat(31) }],
    ['a public key that is none', { WECHATPAY_PUBLIC_KEYS: '{"a":"b"}' }],
  ])('%s', (_what, more) => {
    const of = (value: string): string => served.settings[value] ?? value;
    expect(
      changed(Object.fromEntries(Object.entries(more).map(([key, value]) => [key, of(value)]))),
    ).toThrow();
  });
  it('both are what the settings name', () => {
    expect(clients.wechat).toBeInstanceOf(WeChatPayClient);
    expect(clients.alipay).toBeInstanceOf(AlipayClient);
    expect([clients.wechat.unpaidOnlyAfterExpiry, clients.alipay.unpaidOnlyAfterExpiry]).toEqual([
      false,
      true,
    ]);
  });
});
