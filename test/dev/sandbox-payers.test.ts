import { mkdtempSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPayers } from '../../src/app/payers.js';
import type { Settings } from '../../src/app/settings.js';
import type { NotificationReading, Payer, PayerType } from '../../src/clients/payer.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { makePayerKeys, type PayerKeys, payerSettings } from '../../src/dev/sandbox/payers/keys.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { workFolder } from '../support/work-folder.js';

const context = { requestId: 'r', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
let keys: PayerKeys;
let sandbox: Sandbox;
let payers: Partial<Record<PayerType, Payer>>;
let shop: http.Server;
/** What the shop was told, read by the payer's client. */
let told: NotificationReading[] = [];
let answers: number[] = [];
let number = 0;

beforeAll(async () => {
  keys = await makePayerKeys();
  shop = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const payer = payers[request.url === '/wechat' ? 'wechat' : 'alipay'];
      const headers = request.headers as Record<string, string>;
      const reading = payer?.readNotification(headers, Buffer.concat(parts), new Date());
      if (reading) told.push(reading);
      const status = answers.shift() ?? (reading?.kind === 'genuine' ? 200 : 401);
      response.writeHead(status).end(status === 200 ? 'success' : 'fail');
    });
  });
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  shop.closeAllConnections();
  shop.close();
});

const start = (stateFile?: string): Promise<Sandbox> =>
  Sandbox.start({
    host: '127.0.0.1',
    port: 0,
    legacyMode: false,
    secrets: sandboxSecrets,
    payerKeys: keys,
    stateFile,
  });
const clientsOf = (url: string): Partial<Record<PayerType, Payer>> => {
  const settings = { ...payerSettings(url, keys), PAYER_TIMEOUT_MS: 1_000, NOTIFY_SKEW_MS: 300_000 };
  return createPayers(settings as unknown as Settings, (text) => text);
};

beforeEach(async () => {
  sandbox = await start();
  payers = clientsOf(sandbox.url);
  told = [];
  answers = [];
});
afterEach(async () => {
  for (const payer of Object.values(payers)) payer.end();
  await sandbox.close();
});

async function create(type: PayerType): Promise<{ payer: Payer; no: string; payUrl: string }> {
  const payer = payers[type] as Payer;
  const no = `W2026112400${++number}`;
  const { port } = shop.address() as AddressInfo;
  const wanted = {
    paymentNo: no,
    amountInCent: 2300,
    description: '午餐',
    expiresAt: new Date(Date.now() + 60_000),
    notifyUrl: `http://127.0.0.1:${port}/${type}`,
  };
  const outcome = await payer.create(wanted, context);
  if (outcome.kind !== 'applied') throw new Error(JSON.stringify(outcome));
  return { payer, no, payUrl: outcome.value.payUrl };
}

const press = async (payUrl: string, what: string): Promise<string> =>
  (await fetch(payUrl, { method: 'POST', body: new URLSearchParams({ what }) })).text();
const refundOf = (no: string) => ({
  paymentNo: no,
  refundNo: `R${no}`,
  amountInCent: 1300,
  totalInCent: 2300,
  reason: 'x',
});

describe.each(['wechat', 'alipay'] as const)('the sandbox plays %s', (type) => {
  const vendor = type === 'wechat' ? 'wechatpay' : 'alipay';

  it('has a page with two buttons at the payUrl; one of them pays', async () => {
    const { payer, no, payUrl } = await create(type);
    const page = await (await fetch(payUrl)).text();
    expect(page).toContain('支付 Pay');
    expect(page).toContain('Not enough money');
    expect(page).toContain('23.00');
    expect(await press(payUrl, 'poor')).toContain('nothing was paid');
    expect(await payer.query(no, context)).toMatchObject({ value: { kind: 'WAITING' } });
    expect(await press(payUrl, 'pay')).toContain('Paid');
    expect(await press(payUrl, 'pay')).toContain('Paid before');
    expect(await payer.query(no, context)).toMatchObject({ value: { kind: 'PAID', amountInCent: 2300 } });
    await expect.poll(() => told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      kind: 'genuine',
      value: { paymentNo: no, amountInCent: 2300, isPaid: true },
    });
  });

  it('takes no money after the close', async () => {
    const { payer, no, payUrl } = await create(type);
    await fetch(payUrl);
    expect(await payer.close(no, context)).toMatchObject({ value: 'CLOSED' });
    expect(await press(payUrl, 'pay')).toContain('closed');
    expect(await payer.query(no, context)).toMatchObject({ value: { kind: 'CLOSED' } });
  });

  it('tells of a payment again until the shop has taken it', async () => {
    answers = [500];
    const { payUrl } = await create(type);
    await press(payUrl, 'pay');
    await expect.poll(() => told.length).toBe(2);
    await expect.poll(() => sandbox.ledger.books.payerTrades[0]?.isNotified).toBe(true);
  });

  it('sends a false notification before the true one, or two at once, or none', async () => {
    sandbox.faults.add([
      { call: `${vendor}.notify`, kind: 'notify-false', variant: 'forged', times: 1 },
      { call: `${vendor}.notify`, kind: 'notify-doubled', times: 1 },
      { call: `${vendor}.notify`, kind: 'notify-lost', times: 1 },
    ]);
    await press((await create(type)).payUrl, 'pay');
    await expect.poll(() => told.map(({ kind }) => kind)).toEqual(['refused', 'genuine']);
    await press((await create(type)).payUrl, 'pay');
    await expect.poll(() => told).toHaveLength(4);
    await press((await create(type)).payUrl, 'pay');
    expect(sandbox.faults.list().rules).toEqual([]);
    expect(told).toHaveLength(4);
  });

  it('gives money back once for each number', async () => {
    const { payer, no, payUrl } = await create(type);
    await press(payUrl, 'pay');
    expect(await payer.refund(refundOf(no), context)).toMatchObject({ value: 'SUCCESS' });
    expect(await payer.refund(refundOf(no), context)).toMatchObject({ value: 'SUCCESS' });
    expect(sandbox.ledger.books.payerRefunds).toHaveLength(1);
    expect((await payer.refund({ ...refundOf(no), refundNo: 'R2' }, context)).kind).toBe('rejected');
    expect(await payer.queryRefund(refundOf(no), context)).toMatchObject({ value: 'SUCCESS' });
  });

  it.each([
    ['unsigned', 'unknown'],
    ['status-after', 'unknown'],
    ['malformed-after', 'unknown'],
    ['rate-limit', 'not-applied'],
    ['refused', 'rejected'],
    ['paid-early', 'applied'],
  ] as const)('a create that meets %s is %s', async (kind, outcome) => {
    sandbox.faults.add([{ call: `${vendor}.create`, kind, ms: 10, times: 1 }]);
    const wanted = {
      paymentNo: `W2026112400${++number}`,
      amountInCent: 1,
      description: 'x',
      expiresAt: new Date(Date.now() + 60_000),
      notifyUrl: 'http://127.0.0.1:9',
    };
    expect((await (payers[type] as Payer).create(wanted, context)).kind).toBe(outcome);
  });

  it('keeps its books over a restart, and goes on telling', async () => {
    const file = path.join(mkdtempSync(path.join(workFolder(), 'lunchbox-sandbox-')), 'payers.jsonl');
    const before = await start(file);
    payers = clientsOf(before.url);
    const { no, payUrl } = await create(type);
    answers = [500];
    await press(payUrl, 'pay');
    await expect.poll(() => told).toHaveLength(1);
    await before.close();
    const after = await start(file);
    payers = clientsOf(after.url);
    await expect.poll(() => told).toHaveLength(2);
    expect(await (payers[type] as Payer).query(no, context)).toMatchObject({ value: { kind: 'PAID' } });
    await after.close();
  });
});

it('an ABNORMAL refund is settled by hand', async () => {
  const { payer, no, payUrl } = await create('wechat');
  await press(payUrl, 'pay');
  sandbox.faults.add([{ call: 'wechatpay.refund', kind: 'abnormal', times: 1 }]);
  expect(await payer.refund(refundOf(no), context)).toMatchObject({ kind: 'rejected', code: 'ABNORMAL' });
  const body = JSON.stringify({ payer: 'wechat', outRefundNo: `R${no}` });
  await fetch(`${sandbox.url}/__sandbox/refunds`, { method: 'POST', body });
  expect(await payer.refund(refundOf(no), context)).toMatchObject({ kind: 'applied', value: 'SUCCESS' });
});

it('the payers pay on demand, and show their settings to another process', async () => {
  const { no } = await create('wechat');
  const body = JSON.stringify({ payer: 'wechat', outTradeNo: no });
  const paid = await fetch(`${sandbox.url}/__sandbox/payments`, { method: 'POST', body });
  expect(await paid.json()).toEqual({ result: 'paid' });
  const settings = await (await fetch(`${sandbox.url}/__sandbox/settings`)).json();
  expect(settings).toEqual(payerSettings(sandbox.url, keys));
});
