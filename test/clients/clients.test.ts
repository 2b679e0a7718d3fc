import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limitSide, redact, SIDE_MAX_BYTES } from '../../src/base/redact.js';
import { EnergyClient, energySignature } from '../../src/clients/energy.js';
import { MeicanClient, meicanSignature } from '../../src/clients/meican.js';
import type { Outcome } from '../../src/clients/outcome.js';
import type { CallContext } from '../../src/clients/transport.js';
import { WecomClient } from '../../src/clients/wecom.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import type { FaultRule } from '../../src/dev/sandbox/faults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import type { Exchange } from '../../src/entities/event-attempt.js';
import { freePort } from '../support/free-port.js';

const timeoutMs = 600;
let sandbox: Sandbox;
let meican: MeicanClient;
let energy: EnergyClient;
let wecom: WecomClient;
let journal: Exchange[] = [];
let number = 0;

const context = (): CallContext => ({
  requestId: 'request-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  journal: (entry) => journal.push(entry),
});

it('a connection that never stood has surely carried nothing', async () => {
  const sockets: net.Socket[] = [];
  const silent = net.createServer((socket) => void sockets.push(socket)); // takes the connection, and never says a word of TLS
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const [plain, secure] = ['http', 'https'].map(
    (scheme) =>
      new MeicanClient({ baseUrl: `${scheme}://127.0.0.1:${port}`, corpToken: 't', timeoutMs: 100 }),
  );
  expect(await secure?.cancelOrder('c', '1', context())).toMatchObject({
    kind: 'not-applied',
    code: 'TIMEOUT',
  });
  expect(await plain?.cancelOrder('c', '1', context())).toMatchObject({ kind: 'unknown', code: 'TIMEOUT' });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

beforeAll(async () => {
  sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
  meican = new MeicanClient({
    baseUrl: `${sandbox.url}/meican`,
    corpToken: sandboxSecrets.meicanCorpToken,
    timeoutMs,
  });
  energy = new EnergyClient({
    baseUrl: `${sandbox.url}/energy`,
    appId: 'app',
    appSecret: sandboxSecrets.energyAppSecret,
    timeoutMs,
  });
  wecom = new WecomClient({
    webhookUrl: `${sandbox.url}/wecom/cgi-bin/webhook/send?key=robot-key-secret`,
    application: {
      baseUrl: `${sandbox.url}/wecom`,
      corpId: 'corp',
      corpSecret: sandboxSecrets.wecomCorpSecret,
      agentId: 1,
    },
    timeoutMs,
  });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  sandbox.faults.clear();
  journal = [];
});

const addOrder = () =>
  meican.addOrder(
    {
      corp: 'c',
      email: `d${++number}@example.com`,
      realName: '张三',
      addressId: 'A1',
      mealDate: '2026-11-23',
      mealType: 'LUNCH',
      meicanDishId: '123',
      priceInCent: 2300,
    },
    context(),
  );
const pay = () =>
  energy.pay(
    {
      outTradeNo: `P${++number}`,
      userId: 'u',
      amountInCent: 100,
      subject: 's',
      orderNo: String(number),
      expireAt: new Date(0),
    },
    context(),
  );
const unPay = async () => {
  await pay();
  return energy.unPay(
    { outRefundNo: `R${number}`, outTradeNo: `P${number}`, userId: 'u', amountInCent: 100, reason: 'r' },
    context(),
  );
};
const cancelOrder = async () => {
  const added = await addOrder();
  return meican.cancelOrder('c', added.kind === 'applied' ? (added.value.orderId ?? '') : '', context());
};
const sync = () =>
  energy.syncConsumption(
    { recordNo: `Z${++number}`, userId: 'u', amountInCent: 1, canteen: 'A', consumedAt: new Date(0) },
    context(),
  );

const writes: [string, string, () => Promise<Outcome<unknown>>][] = [
  ['meican.addOrder', 'addOrder', addOrder],
  ['meican.cancelOrder', 'cancelOrder', cancelOrder],
  ['energy.pay', 'pay', pay],
  ['energy.unPay', 'unPay', unPay],
  ['energy.syncConsumption', 'syncConsumption', sync],
];

describe('signatures match the vendors’ test vectors', () => {
  it('Meican', () =>
    expect(meicanSignature('sandbox-corp-token', '1700000000000')).toBe(
      '759ad951a386a1eea5a163875a8128d5df9a8280',
    ));
  it('energy center', () =>
    expect(
      energySignature('sandbox-secret', {
        method: 'POST',
        path: '/energy/v1/unpay',
        timestamp: '1700000000000',
        nonce: 'nonce1',
        body: '{}',
      }),
    ).toBe('8576b4175c2fbda7bc2ad06e355ac99e5a3cd0ef86ad236a2ddc15a262bf30c6'));
});

describe.each(writes)('%s is classified', (call, _name, run) => {
  const cases: [string, Omit<FaultRule, 'call'>, string][] = [
    ['latency', { kind: 'latency', ms: 50 }, 'applied'],
    ['hang-before', { kind: 'hang-before' }, 'unknown'],
    ['hang-after', { kind: 'hang-after' }, 'unknown'],
    ['reset-before', { kind: 'reset-before' }, 'unknown'],
    ['reset-after', { kind: 'reset-after' }, 'unknown'],
    ...[500, 502, 503, 504].flatMap((status): [string, Omit<FaultRule, 'call'>, string][] => [
      [`${status} before`, { kind: 'status-before', status }, 'unknown'],
      [`${status} after`, { kind: 'status-after', status }, 'unknown'],
    ]),
    ...[402, 405, 408, 409, 410, 413, 423, 451, 499].map(
      (status): [string, Omit<FaultRule, 'call'>, string] => [
        `${status}`,
        { kind: 'status-after', status },
        'unknown',
      ],
    ),
    ...['truncated', 'html', 'empty', 'null', 'wrong-types'].map(
      (variant): [string, Omit<FaultRule, 'call'>, string] => [
        `malformed: ${variant}`,
        { kind: 'malformed-after', variant },
        'unknown',
      ],
    ),
    ['late-effect', { kind: 'late-effect', ms: 20 }, 'unknown'],
    ['lost-effect', { kind: 'lost-effect' }, 'applied'],
    ['rate limit by code', { kind: 'rate-limit' }, 'not-applied'],
    ['rate limit by status', { kind: 'rate-limit', variant: 'http' }, 'not-applied'],
    ['drip', { kind: 'drip' }, 'unknown'],
    ['oversize', { kind: 'oversize' }, 'unknown'],
    ['close-idle', { kind: 'close-idle' }, 'applied'],
    ['400', { kind: 'status-before', status: 400 }, 'rejected'],
    ['403', { kind: 'status-before', status: 403 }, 'rejected'],
    ['404', { kind: 'status-before', status: 404 }, 'rejected'],
    ['422', { kind: 'status-before', status: 422 }, 'rejected'],
  ];
  it.each(cases)('%s', async (_what, fault, kind) => {
    sandbox.faults.add([{ call, times: 1, ...fault }]);
    const before = sandbox.requests.filter((request) => request.call === call).length;
    const outcome = await run();
    expect(outcome.kind).toBe(kind);
    expect(sandbox.requests.filter((request) => request.call === call)).toHaveLength(before + 1); // a write is never repeated by itself
  });

  it('a 401 is signed again once, by the vendor’s clock', async () => {
    sandbox.faults.add([{ call, kind: 'unauthorized', times: 1 }]);
    expect((await run()).kind).toBe('applied');
    sandbox.faults.add([{ call, kind: 'unauthorized', times: 2 }]);
    expect((await run()).kind).toBe('rejected');
  });
});

describe('answers without their data', () => {
  it.each(['null-data', 'blank-id'])('addOrder with %s is unknown, never failed', async (variant) => {
    sandbox.faults.add([{ call: 'meican.addOrder', kind: 'malformed-after', variant, times: 1 }]);
    expect((await addOrder()).kind).toBe('unknown');
  });
  it.each(['null-data', 'blank-id'])('pay with %s is unknown', async (variant) => {
    sandbox.faults.add([{ call: 'energy.pay', kind: 'malformed-after', variant, times: 1 }]);
    expect((await pay()).kind).toBe('unknown');
  });
  it('a day list without its data is unknown', async () => {
    sandbox.faults.add([
      { call: 'meican.listOrders', kind: 'malformed-after', variant: 'null-data', times: 1 },
    ]);
    expect((await meican.listOrders('c', '2026-11-23', context())).kind).toBe('unknown');
  });
});

describe('what cannot be reached was not applied', () => {
  it.each([
    ['refused', async () => `http://127.0.0.1:${await freePort()}`],
    ['no such host', async () => 'http://no-such-host.invalid'],
    ['TLS where there is none', async () => sandbox.url.replace('http:', 'https:')],
  ])('%s', async (_what, base) => {
    const client = new EnergyClient({ baseUrl: await base(), appId: 'a', appSecret: 's', timeoutMs: 2_000 });
    expect((await client.closePay('P1', context())).kind).toBe('not-applied');
  });

  it('a call whose caller has given up already is not sent', async () => {
    const before = sandbox.requests.length;
    expect(await energy.closePay('P1', { ...context(), signal: AbortSignal.abort() })).toMatchObject({
      kind: 'not-applied',
      code: 'ABORTED',
    });
    expect(sandbox.requests).toHaveLength(before);
  });
});

describe('a refusal may leave its data out', () => {
  it.each([
    ['energy', { code: 40201, message: 'insufficient' }, 'rejected', '40201'],
    ['energy', { code: 50001 }, 'unknown', '50001'],
    ['meican', { resultCode: 'ORDER_CLOSED' }, 'rejected', 'ORDER_CLOSED'],
    ['meican', { resultCode: 'OK' }, 'applied', undefined],
  ])('%s %j is %s', async (vendor, body, kind, code) => {
    const server = http.createServer((_request, response) => response.end(JSON.stringify(body)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const outcome =
      vendor === 'energy'
        ? await new EnergyClient({ baseUrl, appId: 'a', appSecret: 's', timeoutMs }).closePay('P1', context())
        : await new MeicanClient({ baseUrl, corpToken: 't', timeoutMs }).cancelOrder('c', 'x', context());
    expect(outcome).toMatchObject({ kind, ...(code ? { code } : {}) });
    server.close();
  });
});

describe('what no manual states is configuration', () => {
  const answering = async (body: unknown): Promise<{ url: string; close(): void; paths: string[] }> => {
    const paths: string[] = [];
    const server = http.createServer((request, response) => {
      paths.push(request.url?.split('?')[0] ?? '');
      response.end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: () => server.close(),
      paths,
    };
  };

  it('codes of the energy center', async () => {
    const server = await answering({ code: 777, message: 'paid', result: null });
    const options = { baseUrl: server.url, appId: 'a', appSecret: 's', timeoutMs };
    expect(await new EnergyClient(options).closePay('P1', context())).toMatchObject({
      kind: 'unknown',
      code: 'CODE_777',
    });
    expect(
      await new EnergyClient({ ...options, codes: { alreadyPaid: 777 } }).closePay('P1', context()),
    ).toMatchObject({ kind: 'rejected', code: '40903' });
    server.close();
  });

  it('paths and codes of Meican', async () => {
    const server = await answering({ resultCode: 'SLOW', resultDescription: '' });
    const client = new MeicanClient({
      baseUrl: server.url,
      corpToken: 't',
      timeoutMs,
      literals: { tooFast: 'SLOW', deleteOrderPath: '/v9/{corp}/remove' },
    });
    expect(await client.cancelOrder('c 1', 'x', context())).toMatchObject({
      kind: 'not-applied',
      code: 'SLOW',
    });
    expect(server.paths).toEqual(['/v9/c%201/remove']);
    server.close();
  });
});

describe('reads', () => {
  it('are repeated by themselves after a network error', async () => {
    sandbox.faults.add([{ call: 'energy.queryPay', kind: 'reset-before', times: 2 }]);
    expect(await energy.queryPay('P-none', context())).toMatchObject({
      kind: 'applied',
      value: { state: 'NONE' },
    });
  });

  it.each([
    ['x', null],
    [true, null],
    [null, null],
    ['美餐网 早餐', 'BREAKFAST'],
    ['美餐网 午餐', 'LUNCH'],
    ['美餐网 晚餐', 'DINNER'],
  ])(
    'the day list lives without the fields that no manual promises; titled %s, a meal is %s',
    async (meal, mealType) => {
      const server = http.createServer((_request, response) =>
        response.end(
          JSON.stringify({
            resultCode: 'OK',
            resultDescription: '查询成功',
            data: {
              orderList: [
                {
                  meal,
                  mealList: [
                    {
                      orderId: 'a1',
                      email: 'z@example.com',
                      realName: '张三',
                      orderContent: [{ name: '宫保鸡丁', count: 1 }],
                    },
                  ],
                },
              ],
            },
          }),
        ),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const client = new MeicanClient({
        baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        corpToken: 't',
        timeoutMs,
      });
      expect(await client.listOrders('c', '2026-11-23', context())).toEqual({
        kind: 'applied',
        duplicate: false,
        value: [
          {
            orderId: 'a1',
            email: 'z@example.com',
            mealType,
            dishes: [{ dishId: null, name: '宫保鸡丁' }],
          },
        ],
      });
      client.close();
      server.close();
    },
  );

  it('Retry-After is taken from the answer, and capped', async () => {
    sandbox.faults.add([{ call: 'energy.pay', kind: 'rate-limit', times: 1 }]);
    expect(await pay()).toMatchObject({ kind: 'not-applied', retryAfterMs: 1_000 });
  });
});

describe('WeCom', () => {
  const send = (to = 'zhang') =>
    wecom.sendTextCard(
      { toUser: to, title: 't', description: `d${++number}`, url: 'http://x', buttonText: '看' },
      context(),
    );

  it('fetches one token, however many wait for it', async () => {
    await Promise.all(Array.from({ length: 20 }, () => send()));
    expect(sandbox.requests.filter((request) => request.call === 'wecom.token')).toHaveLength(1);
    expect(sandbox.ledger.books.appMessages).toHaveLength(20);
  });

  it.each([['void'], ['expired']])(
    'a token that is %s early is refreshed once and the message repeated once',
    async (variant) => {
      await send();
      const before = sandbox.requests.filter((request) => request.call === 'wecom.token').length;
      sandbox.faults.add([{ call: 'wecom.message', kind: 'unauthorized', variant, times: 1 }]);
      expect((await send()).kind).toBe('applied');
      expect(sandbox.requests.filter((request) => request.call === 'wecom.token')).toHaveLength(before + 1);
      sandbox.faults.add([{ call: 'wecom.message', kind: 'unauthorized', variant, times: 5 }]);
      expect((await send()).kind).toBe('not-applied');
    },
  );

  it('nobody to deliver to is rejected; busy is repeated at most three times', async () => {
    expect(await send('nobody-x')).toMatchObject({ kind: 'rejected', code: '81013' });
    sandbox.faults.add([{ call: 'wecom.robot', kind: 'refused', code: '-1', times: 2 }]);
    expect((await wecom.sendToRobot('x', context())).kind).toBe('applied');
    const before = sandbox.requests.length;
    sandbox.faults.add([{ call: 'wecom.robot', kind: 'refused', code: '-1', times: 9 }]);
    expect((await wecom.sendToRobot('x', context())).kind).toBe('not-applied');
    expect(sandbox.requests).toHaveLength(before + 4);
  });
});

describe('what is kept of a call', () => {
  it('has neither secrets nor names, phones or addresses of people', async () => {
    await addOrder();
    await meican.listOrders('c', '2026-11-23', context());
    await pay();
    await wecom.sendToRobot('x', context());
    await wecom.sendTextCard(
      { toUser: 'u', title: 't', description: 'call 13800001111', url: 'http://x', buttonText: '看' },
      context(),
    );
    const kept = JSON.stringify(journal);
    expect(journal.length).toBeGreaterThanOrEqual(5);
    for (const secret of [
      '张三',
      'd1@example.com',
      `d${number - 1}@example.com`,
      sandboxSecrets.meicanCorpToken,
      sandboxSecrets.energyAppSecret,
      'robot-key-secret',
      'signature=',
      'access_token=',
      'sandbox-token-',
      '13800001111',
    ])
      expect(kept).not.toContain(secret);
    expect(journal[0]).toMatchObject({
      call: 'meican.addOrder',
      request: { method: 'POST', path: '/v1/corps/c/addorder' },
      answer: { status: 200 },
      outcome: 'applied',
    });
  });

  it('redacts by key and by value, and keeps 16 KiB a side', () => {
    expect(redact('{"realName":"李\\"四","x":"topsecret1","corpsecret":"abc"}', ['topsecret1'])).toBe(
      '{"realName":"***","x":"***","corpsecret":"***"}',
    );
    const long = limitSide('汉'.repeat(20_000));
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(SIDE_MAX_BYTES);
    expect(long).toContain('60000 bytes');
    expect(long).not.toContain('\uFFFD');
  });
});
