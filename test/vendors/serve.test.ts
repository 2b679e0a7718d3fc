import { Agent } from 'node:http';
import axios, { AxiosError } from 'axios';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultKind } from './fault.js';
import { type ServedVendors, serveVendors } from './serve.js';
import { energySignature } from './sign.js';

let vendors: ServedVendors;
beforeEach(async () => {
  vendors = await serveVendors({ prefix: '/gate', apart: true });
});
afterEach(() => vendors.close());

const agent = new Agent({ keepAlive: true });

/** What a client sees: the status, or the code of its error; the time-out is 400 ms. */
async function pay(number: string, fault?: FaultKind): Promise<unknown> {
  if (fault) vendors.plan.next('energy.pay', fault);
  const body = JSON.stringify({
    outTradeNo: number,
    userId: 'alice',
    amount: 100,
    subject: 'x',
    orderNo: number,
    expireAt: '2026-11-23T12:00:00+08:00',
  });
  const [timestamp, nonce] = [String(Date.now()), number];
  const signature = energySignature('sandbox-secret', {
    method: 'POST',
    path: '/gate/energy/v1/pay',
    timestamp,
    nonce,
    body,
  });
  const headers = {
    'content-type': 'application/json',
    'x-app-id': 'lunchbox',
    'x-timestamp': timestamp,
    'x-nonce': nonce,
    'x-request-id': 'request-1',
    traceparent: 't',
    'x-signature': signature,
  };
  try {
    const options = {
      headers,
      signal: AbortSignal.timeout(1_500),
      httpAgent: agent,
      transformResponse: (text: string) => text,
      validateStatus: () => true,
    };
    return (await axios.post(`${vendors.urls.energy}/v1/pay`, body, options)).status;
  } catch (error) {
    return error instanceof AxiosError ? error.code : error;
  }
}

const isPaid = (number: string): boolean => vendors.energy.books.trades.has(number);

describe('the vendors behind sockets', () => {
  it.each([
    [{ kind: 'hang-before' }, 'ERR_CANCELED', false],
    [{ kind: 'hang-after' }, 'ERR_CANCELED', true],
    [{ kind: 'reset-before' }, 'ECONNRESET', false],
    [{ kind: 'reset-after' }, 'ECONNRESET', true],
    [{ kind: 'drip' }, 'ERR_CANCELED', true],
    [{ kind: 'malformed-after', form: 'truncated' }, 'ERR_BAD_RESPONSE', true],
    [{ kind: 'status-after', status: 503 }, 503, true],
    [{ kind: 'status-before', status: 502, html: true }, 502, false],
    [{ kind: 'latency', ms: 50 }, 200, true],
    [{ kind: 'oversize', bytes: 100_000 }, 200, true],
  ] as [FaultKind, unknown, boolean][])('%j', async (fault, seen, paid) => {
    expect([await pay('P1', fault), isPaid('P1')]).toEqual([seen, paid]);
    expect(await pay('P2')).toBe(200);
    expect(vendors.energy.complaints).toEqual([]);
  });

  it('an outage refuses the connections of one vendor alone, and ends', async () => {
    await vendors.beginOutage('energy');
    expect(await pay('P1')).toBe('ECONNREFUSED');
    expect(
      (await axios.get(`${vendors.urls.wecom}/cgi-bin/gettoken?corpid=corp-id&corpsecret=corp-secret`)).data,
    ).toMatchObject({ errcode: 0 });
    await vendors.endOutage('energy');
    expect(await pay('P1')).toBe(200);
  });

  it('takes a plan and shows its books over HTTP', async () => {
    const origin = new URL(vendors.urls.meican).origin;
    await axios.post(`${origin}/__faults`, {
      next: [{ call: 'energy.pay', faults: [null, { kind: 'reset-after' }] }],
    });
    await axios.post(`${origin}/__trades`, { outTradeNo: 'coffee-1', userId: 'bob', amount: 900 });
    expect([await pay('P1'), await pay('P2')]).toEqual([200, 'ECONNRESET']);
    const { data } = await axios.get<{
      energy: { trades: { outTradeNo: string }[] };
      complaints: [];
      faults: { met: [] };
    }>(`${origin}/__books`);
    expect(data.energy.trades.map(({ outTradeNo }) => outTradeNo)).toEqual(['coffee-1', 'P1', 'P2']);
    expect([data.complaints.length, data.faults.met.length]).toEqual([0, 1]);
  });

  it('names the settings of the program', () => {
    expect(vendors.settings).toMatchObject({
      ENERGY_BASE_URL: vendors.urls.energy,
      MEICAN_CORP_TOKEN: 'sandbox-corp-token',
    });
    expect(vendors.settings.WECOM_WEBHOOK_URL).toContain('/gate/wecom/cgi-bin/webhook/send?key=');
  });
});
