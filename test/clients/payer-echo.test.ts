import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/clients/outcome.js';
import type { Payer } from '../../src/clients/payer.js';
import type { Exchange } from '../../src/entities/event-attempt.js';
import type { PayerName } from '../vendors/fault.js';
import { BUYER } from '../vendors/payers/alipay-note.js';
import { settingsFor } from '../vendors/payers/serve.js';
import { makeKeys, rsaSign } from '../vendors/payers/sign.js';
import { OPENID } from '../vendors/payers/wechat-note.js';
import { payersOf } from './payers.js';

const keys = makeKeys();
const SERIAL = 'PUB_KEY_ID_0114232134912410000000000000';
/** In which status, and whether as a code, the echo comes. */
let status = 400;
let code: string | null = null;
/** What proved the last request. */
let proofs: string[] = [];
let server: http.Server;
let clients: Record<PayerName, Payer>;

/** A payer that tells everything that it was sent and knows, in every place that takes a text, and signs it. */
function echo(
  url: string,
  headers: http.IncomingHttpHeaders,
  sent: string,
): { body: string; member?: string } {
  const form = Object.fromEntries(new URLSearchParams(sent));
  const authorization = headers.authorization ?? '';
  const signature = /signature="([^"]*)"/.exec(authorization)?.[1] ?? form.sign ?? '';
  proofs = [authorization, signature].filter((text) => text !== '');
  const people = JSON.stringify({ payer: { openid: OPENID }, ...BUYER });
  const all = [
    url,
    JSON.stringify(headers),
    sent,
    keys.apiV3Key,
    signature,
    people,
    JSON.stringify(people),
  ].join(' | ');
  const told = { openid: OPENID, ...BUYER, message: all, sub_msg: all, msg: all };
  if (!url.includes('gateway.do')) return { body: JSON.stringify({ code: code ?? 'NO_AUTH', ...told }) };
  const member = JSON.stringify({ code: '40004', sub_code: code ?? 'ACQ.X', ...told });
  const name = `${(form.method ?? '').replaceAll('.', '_')}_response`;
  return { body: `{"${name}":${member},"sign":"${rsaSign(keys.alipay.privateKey, member)}"}` };
}

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const url = request.url ?? '';
      const { body } = echo(url, request.headers, Buffer.concat(parts).toString());
      const timestamp = String(Math.floor(Date.now() / 1000));
      response.writeHead(url.includes('gateway.do') && status === 400 ? 200 : status, {
        'content-type': 'application/json',
        server: keys.apiV3Key,
        'wechatpay-timestamp': timestamp,
        'wechatpay-nonce': 'n',
        'wechatpay-serial': SERIAL,
        'wechatpay-signature': rsaSign(keys.wechat.privateKey, `${timestamp}\nn\n${body}\n`),
      });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  clients = payersOf(settingsFor({ wechat: url, alipay: url }, keys), 2_000);
});
afterAll(() => {
  for (const client of Object.values(clients)) client.end();
  server.closeAllConnections();
  server.close();
});

/** What a close was refused for decides; a code that nobody knows decides nothing. */
const isCloseByAnUnknownCode = (outcome: Outcome<unknown>): boolean =>
  outcome.kind === 'unknown' && outcome.code === 'UNREADABLE_CODE';

describe.each(['wechat', 'alipay'] as const)('what %s repeats of what it was told', (payer) => {
  it.each([
    ['in a refusal', 400, null],
    ['in a code', 400, keys.apiV3Key],
    ['in an error page', 502, null],
  ])('%s is kept without keys, signatures and people', async (_where, as, told) => {
    [status, code] = [as, told];
    const journal: Exchange[] = [];
    const context = {
      requestId: 'r',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      journal: (entry: Exchange) => void journal.push(entry),
    };
    const client = clients[payer];
    const no = 'W2026112400001';
    const wanted = {
      paymentNo: no,
      amountInCent: 2300,
      description: '午餐',
      expiresAt: new Date(Date.now() + 60_000),
      notifyUrl: 'http://x/y',
    };
    const refund = { paymentNo: no, refundNo: 'R1', amountInCent: 1, totalInCent: 2, reason: 'r' };
    const calls = [
      () => client.create(wanted, context),
      () => client.query(no, context),
      () => client.close(no, context),
      () => client.refund(refund, context),
      () => client.queryRefund(refund, context),
    ];
    for (const call of calls) {
      const outcome = await call();
      expect(outcome.kind).toBe(as === 502 || isCloseByAnUnknownCode(outcome) ? 'unknown' : 'rejected');
      const kept = JSON.stringify([outcome, journal.at(-1)]);
      for (const secret of [...proofs, keys.apiV3Key, OPENID, ...Object.values(BUYER)])
        expect(kept.includes(secret), `${secret} in ${kept}`).toBe(false);
      expect(kept).toContain(' | '); // the echo itself
    }
  });
});
