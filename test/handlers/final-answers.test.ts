import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { Problem } from '../../src/base/problems.js';
import type { EnergyClient } from '../../src/clients/energy.js';
import { sql } from '../../src/database/sql.js';
import { createCoffeeRefund } from '../../src/handlers/coffee-refund.js';
import { createEnergyCancel } from '../../src/handlers/energy-cancel.js';
import { createEnergyRollback } from '../../src/handlers/energy-rollback.js';
import { place } from '../../src/orders/place.js';
import type { ClaimedEvent, EventHandler, HandlerContext, HandlerOutcome } from '../../src/outbox/types.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';
import { PRICE, type Reply, type Script, scriptedEnergy } from '../support/scripted-energy.js';

const clock = { ...systemClock, sleep: async () => {} };

/** The truth table of docs/correctness.md: which answers end money, and which leave it unknown. */
describe('what a payment is taken for', () => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;
  beforeAll(async () => {
    kit = await Kit.create('sqlite');
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });
  afterAll(() => kit.close());

  const name = (reply: Reply | undefined): string =>
    typeof reply === 'object' ? JSON.stringify(reply) : String(reply);
  const finals: [Reply, Reply | undefined][] = [
    ...(
      [40001, 40201, 40301, 40403, 40901, 40904, 'FAILED', 'CLOSED', 'unreached', { http: 403 }] as const
    ).map((pay): [Reply, undefined] => [pay, undefined]),
    ['PROCESSING', 'FAILED'],
    ['PROCESSING', 'CLOSED'],
  ];
  const unknowns: [Reply, Reply | undefined][] = [
    ...(
      ['silence', 'nonsense', { http: 500 }, { http: 503 }, 50001, 50002, 40401, 40402, 40902, 40903] as const
    ).map((pay): [Reply, undefined] => [pay, undefined]),
    ...(
      [40401, 40402, 'PROCESSING', 'silence', 'unreached', 'nonsense', { http: 500 }, 50001, 42901] as const
    ).map((query): [Reply, Reply] => ['PROCESSING', query]),
  ];

  it.each([
    ['SUCCESS', undefined],
    ['PROCESSING', 'SUCCESS'],
    ['PROCESSING', [40401, 'SUCCESS']],
  ] as const)('pay %s, query %s: paid', async (pay, query) => {
    expect(await placeWith({ pay, ...(query ? { queryPay: query } : {}) })).toMatchObject({
      answer: 201,
      status: 'ORDERING',
      refund: 'NONE',
      guard: 'handled',
    });
  });

  it.each(finals.map(([pay, query]) => [name(pay), name(query), pay, query] as const))(
    'pay %s, query %s: surely not paid',
    async (_pay, _query, pay, query) => {
      const ended = await placeWith({ pay, ...(query ? { queryPay: query } : {}) });
      expect(ended).toMatchObject({ status: 'SYSTEM_CANCEL', refund: 'NONE', guard: 'handled' });
      expect(ended.answer).not.toBe('payment-unknown');
    },
  );

  it.each(unknowns.map(([pay, query]) => [name(pay), name(query), pay, query] as const))(
    'pay %s, query %s: unknown, and the guard stays',
    async (_pay, _query, pay, query) => {
      expect(await placeWith({ pay, ...(query ? { queryPay: query } : {}) }, 20)).toMatchObject({
        answer: 'payment-unknown',
        status: 'SYSTEM_CANCEL',
        refund: 'PENDING',
        guard: 'pending',
      });
    },
  );

  /** `askForMs`: how long it goes on asking; short where the answer is to stay unknown. */
  async function placeWith(script: Script, askForMs = 60_000) {
    const sub = `f${++user}`;
    const { database, numbers } = kit.runtime;
    const attempted = {
      caller: sub,
      role: 'user' as const,
      operation: 'place',
      key: 'k',
      body: 'b',
      instance: '/',
      requestId: 'r',
      lockMs: 60_000,
    };
    const answer = await place(
      {
        database,
        numbers,
        energy: scriptedEnergy(script).energy,
        locks: { withLock: (_keys, work) => work({ held: false, waitedMs: 0 }) },
        clock,
        paymentWindowMs: 60_000,
        payTimeoutMs: askForMs,
      },
      {
        attempted,
        userId: sub,
        email: `${sub}@example.com`,
        realName: sub,
        ...kit.orderBody(menu),
        traceparent: null,
      },
    ).then(
      ({ status }) => status,
      (error: unknown) => (error instanceof Problem ? error.code : error),
    );
    const [order] = await database.query<{ id: number; status: string; refund: string }>(
      sql`SELECT id, status, refund FROM box_order WHERE user_id = ${sub}`,
    );
    const { status: guard } = await kit.eventOf(String(order?.id), 'ENERGY_CENTER_ROLLBACK_V2_ERROR');
    return { answer, status: order?.status, refund: order?.refund, guard };
  }
});

describe('what a refund is taken for', () => {
  let kit: Kit;
  let orderId: string;
  beforeAll(async () => {
    kit = await Kit.create('sqlite');
    orderId = (await kit.ordered(await kit.menu(), 'u')).id;
    await kit.database.execute(
      sql`UPDATE box_order SET status = 'SYSTEM_CANCEL', refund = 'PENDING' WHERE id = ${orderId}`,
    );
  });
  afterAll(() => kit.close());

  const [known, doubt] = [null, new Date()];
  const paid: Script = { closePay: 40903 };
  type Row = readonly [
    title: string,
    types: string,
    unknownAt: Date | null,
    script: Script,
    expected: string,
    calls?: string,
  ];
  const rows: Row[] = [
    ['SUCCESS', 'cancel guard coffee', known, { ...paid, unPay: 'SUCCESS' }, 'done: refunded'],
    [
      'FAILED',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 'FAILED' },
      'retry not-applied REFUND_FAILED',
      'unPay',
    ],
    [
      'no answer, then FAILED',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 'silence', queryRefund: 'FAILED' },
      'retry not-applied REFUND_FAILED',
    ],
    ['PROCESSING', 'cancel guard coffee', known, { ...paid, unPay: 'PROCESSING' }, 'snooze unknown'],
    [
      'no answer, then PROCESSING',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 'silence', queryRefund: 'PROCESSING' },
      'snooze unknown',
    ],
    [
      'no answer, then not found: repeated, never concluded from',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 'silence', queryRefund: 40402 },
      'retry unknown TIMEOUT',
      'unPay queryRefund unPay queryRefund unPay queryRefund',
    ],
    [
      'no answer, then rate limited',
      'cancel guard coffee',
      known,
      { ...paid, unPay: ['silence', 42901], queryRefund: 40402 },
      'snooze unknown',
    ],
    [
      'no answer, then not reached',
      'cancel guard coffee',
      known,
      { ...paid, unPay: ['silence', 'unreached'], queryRefund: 40402 },
      'retry unknown ECONNREFUSED',
    ],
    [
      'no answer, then refused',
      'cancel guard coffee',
      known,
      { ...paid, unPay: ['silence', 40301], queryRefund: 40402 },
      'give-up unknown 40301',
    ],
    ['refused', 'cancel guard coffee', known, { ...paid, unPay: 40301 }, 'give-up rejected 40301'],
    [
      'in doubt, not found, refused',
      'cancel guard coffee',
      doubt,
      { ...paid, unPay: 40301, queryRefund: 40402 },
      'give-up unknown 40301',
    ],
    [
      'in doubt, SUCCESS',
      'cancel guard coffee',
      doubt,
      { ...paid, queryRefund: 'SUCCESS' },
      'done: an earlier try had been carried out',
      'queryRefund',
    ],
    [
      'in doubt, FAILED: asked for again',
      'cancel guard coffee',
      doubt,
      { ...paid, queryRefund: 'FAILED', unPay: 'SUCCESS' },
      'done: refunded',
      'queryRefund unPay',
    ],
    [
      'in doubt, FAILED, rate limited',
      'cancel guard coffee',
      doubt,
      { ...paid, queryRefund: 'FAILED', unPay: 42901 },
      'snooze not-applied',
    ],
    [
      'a code that is no answer to a refund',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 40402, queryRefund: 'SUCCESS' },
      'done: an earlier try had been carried out',
    ],
    [
      '40902, and the payment says so',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 40902, queryPay: { refunded: PRICE } },
      'done: had been refunded under another number',
    ],
    [
      '40902, and the payment says no',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 40902, queryPay: { refunded: 0 } },
      'retry not-applied CONTRADICTION',
    ],
    [
      '40902, and the payment is not found',
      'cancel guard coffee',
      known,
      { ...paid, unPay: 40902, queryPay: 40401 },
      'retry not-applied CONTRADICTION',
    ],
    [
      '40902 in doubt',
      'cancel guard coffee',
      doubt,
      { ...paid, queryRefund: 40402, unPay: 40902, queryPay: { refunded: 0 } },
      'retry unknown CONTRADICTION',
    ],

    [
      'payment not found, closed',
      'cancel',
      known,
      { unPay: 40401, closePay: 'CLOSED' },
      'done: there was no payment; its number is closed',
      'unPay closePay',
    ],
    [
      'payment closed, closed',
      'cancel',
      known,
      { unPay: 40904, closePay: 'CLOSED' },
      'done: there was no payment; its number is closed',
      'unPay closePay',
    ],
    [
      'payment not found, closed before',
      'cancel',
      known,
      { unPay: 40401, closePay: 40904 },
      'done: there was no payment; its number is closed',
    ],
    [
      'payment not found, ended FAILED',
      'cancel',
      known,
      { unPay: 40401, closePay: 'FAILED' },
      'done: there was no payment; its number is closed',
    ],
    [
      'payment not found, but paid',
      'cancel',
      known,
      { unPay: 40401, closePay: 40903 },
      'retry not-applied CONTRADICTION',
    ],
    [
      'payment not found, but SUCCESS',
      'cancel',
      known,
      { unPay: 40401, closePay: 'SUCCESS' },
      'retry not-applied CONTRADICTION',
    ],
    [
      'payment not found, still PROCESSING',
      'cancel',
      known,
      { unPay: 40401, closePay: 'PROCESSING' },
      'snooze unknown',
    ],
    [
      'payment not found, the close not answered',
      'cancel',
      known,
      { unPay: 40401, closePay: 'silence', queryPay: 40401 },
      'retry unknown TIMEOUT',
    ],
    [
      'payment not found, the close neither',
      'cancel',
      known,
      { unPay: 40401, closePay: 40401, queryPay: 40401 },
      'retry unknown 40401',
    ],

    [
      'CLOSED',
      'guard',
      known,
      { closePay: 'CLOSED' },
      'done: nothing was paid; the payment number is closed',
      '',
    ],
    [
      'closed before',
      'guard',
      known,
      { closePay: 40904 },
      'done: nothing was paid; the payment number is closed',
      '',
    ],
    [
      'ended FAILED',
      'guard',
      known,
      { closePay: 'FAILED' },
      'done: nothing was paid; the payment number is closed',
      '',
    ],
    ['PROCESSING', 'guard', known, { closePay: 'PROCESSING' }, 'snooze unknown', ''],
    ['SUCCESS', 'guard', known, { closePay: 'SUCCESS', unPay: 'SUCCESS' }, 'done: refunded', 'unPay'],
    [
      'the close not found',
      'guard',
      known,
      { closePay: 40401, queryPay: 40401 },
      'retry unknown 40401',
      'queryPay',
    ],
    [
      'the close not answered',
      'guard',
      known,
      { closePay: 'silence', queryPay: 40401 },
      'retry unknown TIMEOUT',
      'queryPay',
    ],
    [
      'the close not reached, an earlier refund in doubt',
      'guard',
      doubt,
      { closePay: 'unreached' },
      'retry unknown ECONNREFUSED',
      '',
    ],
    [
      'paid, and then not found',
      'guard',
      known,
      { ...paid, unPay: 40401 },
      'retry not-applied CONTRADICTION',
    ],

    ['trade not found', 'coffee', known, { unPay: 40401 }, 'retry not-applied NO_SUCH_TRADE', 'unPay'],
    ['trade closed', 'coffee', known, { unPay: 40904 }, 'give-up rejected 40904', 'unPay'],
    [
      'no answer, then trade not found',
      'coffee',
      known,
      { unPay: ['silence', 40401], queryRefund: 40402 },
      'retry unknown NO_SUCH_TRADE',
    ],
  ];
  const cases = rows.flatMap(([title, types, unknownAt, script, expected, calls]) =>
    types.split(' ').map((type) => [type, title, unknownAt, script, expected, calls] as const),
  );

  it.each(cases)('%s: %s', async (type, _title, unknownAt, script, expected, calls) => {
    const { energy, heard } = scriptedEnergy(script);
    expect(summaryOf(await handle(type, energy, unknownAt))).toBe(expected);
    if (calls !== undefined)
      expect(heard.filter((call) => type !== 'guard' || call !== 'closePay').join(' ')).toBe(calls);
  });

  async function handle(type: string, energy: EnergyClient, unknownAt: Date | null): Promise<HandlerOutcome> {
    const dependencies = { database: kit.database, energy, clock, timeoutMs: 1_000 };
    const handlers = {
      cancel: createEnergyCancel(dependencies),
      guard: createEnergyRollback(dependencies),
      coffee: createCoffeeRefund(dependencies),
    };
    const handler = handlers[type as keyof typeof handlers] as unknown as EventHandler<unknown>;
    const order = { orderId, orderNo: '202611240000001', userId: 'u', amountInCent: PRICE };
    const payload =
      type === 'coffee'
        ? handlers.coffee.definition.example
        : type === 'guard'
          ? order
          : { ...order, reason: 'USER_CANCEL' };
    const event = { id: '0', payload, unknownAt, snoozeSince: null } as unknown as ClaimedEvent<unknown>;
    const context: HandlerContext = {
      signal: new AbortController().signal,
      now: () => new Date(),
      step: (work) => kit.database.transaction(work),
      mayStart: () => true,
      journal: () => {},
      requestId: 'r',
      traceparent: '',
    };
    return handler.handle(event, context);
  }
});

function summaryOf(answer: HandlerOutcome): string {
  if (answer.kind === 'done') return `done: ${answer.note}`;
  if (answer.kind === 'retry' || answer.kind === 'give-up' || answer.kind === 'ask-again')
    return `${answer.kind} ${answer.failure.outcome} ${answer.failure.code}`;
  return `${answer.kind} ${answer.outcome}`;
}

describe.each(databaseKinds)('a refund that ends FAILED, on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  beforeAll(async () => {
    kit = await Kit.create(kind, { INLINE_BUDGET_MS: '0' });
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });
  afterAll(() => kit.close());
  const failing = { call: 'energy.unPay', kind: 'processing', variant: 'FAILED', ms: 0 } as const;
  const sentRefunds = (number: string): number =>
    kit.sandbox.requests.filter(
      ({ path, body }) => path.endsWith('/v1/unpay') && body.includes(`"${number}"`),
    ).length;

  it.each([
    ['a cancelled order', 'ENERGY_CENTER_V2_CANCEL'],
    ['a guard', 'ENERGY_CENTER_ROLLBACK_V2_ERROR'],
  ])(
    'of %s counts, is asked for again under its number, is errored and alerted at the third, and a requeue asks for it again',
    async (_what, type) => {
      const sub = `z-${type}`;
      const { orderId, orderNo } = await owed(type, sub);
      const read = () => kit.eventOf(orderId, type);
      kit.fault(failing);
      for (const failures of [1, 2, 3]) {
        await rounds(type, async () => (await read()).failures === failures);
        expect(await read()).toMatchObject({
          failures,
          outcome: 'not-applied',
          lastError: { code: 'REFUND_FAILED' },
          status: failures === 3 ? 'errored' : 'pending',
        });
        expect(sentRefunds(`R${orderNo}`)).toBe(failures);
      }
      expect(await kit.database.query(sql`SELECT id FROM alert WHERE event_type = ${type}`)).toHaveLength(1);
      kit.sandbox.faults.clear();
      await kit.call('POST', `/v1/events/${(await read()).id}/requeue`, {
        body: { reason: 'the energy center is well again' },
      });
      await kit.runDue();
      expect(await read()).toMatchObject({ status: 'handled', outcome: 'applied' });
      expect(sentRefunds(`R${orderNo}`)).toBe(4);
      expect(kit.balanceOf(sub)).toBe(100_000);
      expect(await kit.read(orderId)).toMatchObject({ refund: 'DONE' });
    },
  );

  async function owed(type: string, sub: string): Promise<{ orderId: string; orderNo: string }> {
    if (type === 'ENERGY_CENTER_V2_CANCEL') {
      const order = await kit.ordered(menu, sub);
      await kit.cancel(order.id, sub);
      return { orderId: order.id, orderNo: order.orderNo };
    }
    kit.fault({ call: 'energy.pay', kind: 'reset-after', times: 1 });
    await kit.order(menu, sub);
    const [order] = await kit.database.query<{ id: number; order_no: string }>(
      sql`SELECT id, order_no FROM box_order WHERE user_id = ${sub}`,
    );
    return { orderId: String(order?.id), orderNo: order?.order_no ?? '' };
  }

  /** Attempts of this type, until it is so: one that leaves the refund PROCESSING, and one that finds out how it ended. */
  async function rounds(type: string, isSo: () => Promise<boolean>): Promise<void> {
    const onceMore = async (): Promise<boolean> => {
      await kit.pass(1, [type]);
      return isSo();
    };
    await expect.poll(onceMore, { interval: 20 }).toBe(true);
  }
});
