import { describe, expect, it } from 'vitest';
import { Bench, bodyOf, resultOf } from './bench.js';
import { now } from './energy-books.js';
import { energySignature } from './sign.js';

const balance = (bench: Bench) => bench.energy.books.accounts.get('alice')?.balance ?? 10_000;
const rules = (bench: Bench) => bench.energy.complaints.map(({ rule }) => rule);

describe('the energy center', () => {
  it("signs as the contract's test vector says", () => {
    const signed = {
      method: 'POST',
      path: '/energy/v1/unpay',
      timestamp: '1700000000000',
      nonce: 'nonce1',
      body: '{}',
    };
    expect(energySignature('sandbox-secret', signed)).toBe(
      '8576b4175c2fbda7bc2ad06e355ac99e5a3cd0ef86ad236a2ddc15a262bf30c6',
    );
  });

  it('carries out nothing that is signed wrongly or for another minute, and complains', () => {
    const bench = new Bench();
    const good = {
      'x-app-id': 'lunch',
      'x-nonce': 'n',
      'x-request-id': 'request-1',
      traceparent: 't',
      'x-timestamp': String(bench.clock.now()),
    };
    expect(
      bench.energy.handle({
        method: 'GET',
        path: '/v1/accounts/alice',
        headers: { ...good, 'x-signature': 'f'.repeat(64) },
        body: '',
      }),
    ).toMatchObject({
      status: 401,
    });
    const timestamp = String(bench.clock.now() - 300_001);
    const late = energySignature('secret', {
      method: 'GET',
      path: '/energy/v1/accounts/alice',
      timestamp,
      nonce: 'n',
      body: '',
    });
    const headers = { ...good, 'x-timestamp': timestamp, 'x-signature': late };
    expect(
      bench.energy.handle({ method: 'GET', path: '/v1/accounts/alice', headers, body: '' }),
    ).toMatchObject({ status: 401 });
    expect(rules(bench)).toEqual(['signature', 'signature']);
    expect(bench.energy.books.accounts.size).toBe(0);
  });

  it('takes a payment once under one number: a repeat is a duplicate, another body is refused', () => {
    const bench = new Bench();
    expect(resultOf(bench.pay('1', 2300))).toMatchObject({
      status: 'SUCCESS',
      balanceBefore: 10_000,
      balanceAfter: 7_700,
      duplicate: false,
    });
    expect(resultOf(bench.pay('1', 2300))).toMatchObject({
      status: 'SUCCESS',
      balanceAfter: 7_700,
      duplicate: true,
    });
    expect(bodyOf(bench.pay('1', 2400)).code).toBe(40901);
    expect(balance(bench)).toBe(7_700);
    expect(rules(bench)).toEqual(['other-body']);
  });

  it('refuses by balance, card and account, and keeps no trade of it', () => {
    const bench = new Bench();
    expect(bodyOf(bench.pay('1', 10_001)).code).toBe(40201);
    bench.energy.setCard('alice', 'LOST');
    expect(bodyOf(bench.pay('2', 1)).code).toBe(40301);
    expect(bodyOf(bench.askEnergy('GET', '/v1/pay/P1')).code).toBe(40401);
    expect(bodyOf(new Bench({ openAccounts: false }).pay('1', 1)).code).toBe(40403);
  });

  it('complains of amounts that are nothing and of blank fields', () => {
    const bench = new Bench();
    expect(bodyOf(bench.pay('1', 0)).code).toBe(40001);
    expect(bodyOf(bench.pay('1', -5)).code).toBe(40001);
    expect(bodyOf(bench.pay('1', 1.5)).code).toBe(40001);
    expect(
      bodyOf(
        bench.askEnergy('POST', '/v1/consumptions', {
          recordNo: ' ',
          userId: 'a',
          amount: 1,
          canteen: 'x',
          consumedAt: '2026-11-23T12:00:00+08:00',
        }),
      ).code,
    ).toBe(40001);
    expect(rules(bench)).toEqual(['bad-field', 'bad-field', 'bad-field', 'bad-field']);
  });

  it.each(['SUCCESS', 'FAILED'] as const)(
    'a PROCESSING payment settles to %s; the lagging query knows nothing of it at first',
    (to) => {
      const bench = new Bench();
      const processing = {
        call: 'energy.pay',
        kind: 'processing',
        ms: 5_000,
        to,
        queryLagMs: 2_000,
      } as const;
      expect(resultOf(bench.pay('1', 2300, processing))).toMatchObject({ status: 'PROCESSING' });
      expect(bodyOf(bench.askEnergy('GET', '/v1/pay/P1')).code).toBe(40401);
      bench.clock.move(3_000);
      expect(resultOf(bench.askEnergy('GET', '/v1/pay/P1'))).toMatchObject({ status: 'PROCESSING' });
      expect(balance(bench)).toBe(10_000);
      bench.clock.move(2_000);
      expect(balance(bench)).toBe(to === 'SUCCESS' ? 7_700 : 10_000);
      expect(resultOf(bench.askEnergy('GET', '/v1/pay/P1'))).toMatchObject({ status: 'PROCESSING' });
      bench.clock.move(2_000);
      expect(resultOf(bench.askEnergy('GET', '/v1/pay/P1'))).toMatchObject({ status: to, refundedAmount: 0 });
    },
  );

  it('a tombstone refuses the late payment, a paid trade is not closed', () => {
    const bench = new Bench();
    expect(resultOf(bench.askEnergy('POST', '/v1/pay/P1/close', {}))).toMatchObject({ status: 'CLOSED' });
    expect(bodyOf(bench.pay('1', 2300)).code).toBe(40904);
    bench.pay('2', 2300);
    expect(bodyOf(bench.askEnergy('POST', '/v1/pay/P2/close', {})).code).toBe(40903);
    expect(balance(bench)).toBe(7_700);
    expect(rules(bench)).toEqual([]);
  });

  it('a payment that takes effect late meets the tombstone, too', () => {
    const bench = new Bench();
    expect(bench.pay('1', 2300, { call: 'energy.pay', kind: 'late-effect', ms: 4_000 })).toMatchObject({
      status: 504,
    });
    expect(bodyOf(bench.askEnergy('GET', '/v1/pay/P1')).code).toBe(40401);
    bench.askEnergy('POST', '/v1/pay/P1/close', {});
    bench.clock.move(5_000);
    expect(balance(bench)).toBe(10_000);
  });

  it.each([
    ['closes', 'CLOSED', 10_000],
    ['busy', 'SUCCESS', 7_700],
  ] as const)('a close of a PROCESSING payment: %s', (closeWhileProcessing, status, left) => {
    const bench = new Bench({ energy: { closeWhileProcessing } });
    bench.pay('1', 2300, { call: 'energy.pay', kind: 'processing', ms: 5_000, to: 'SUCCESS', queryLagMs: 0 });
    expect(bodyOf(bench.askEnergy('POST', '/v1/pay/P1/close', {})).code).toBe(
      status === 'CLOSED' ? 0 : 50001,
    );
    bench.clock.move(5_000);
    expect(resultOf(bench.askEnergy('GET', '/v1/pay/P1'))).toMatchObject({ status });
    expect(balance(bench)).toBe(left);
  });

  it('gives money back once: the same number changes nothing, another number is refused', () => {
    const bench = new Bench();
    bench.pay('1', 2300);
    expect(resultOf(bench.unpay('1', 2300))).toMatchObject({
      status: 'SUCCESS',
      fundChange: 'Y',
      balanceAfter: 10_000,
    });
    expect(resultOf(bench.unpay('1', 2300))).toMatchObject({ status: 'SUCCESS', fundChange: 'N' });
    expect(bodyOf(bench.unpay('x', 2300, undefined, '1')).code).toBe(40902);
    expect(balance(bench)).toBe(10_000);
    expect(rules(bench)).toEqual(['second-refund']);
    expect(resultOf(bench.askEnergy('GET', '/v1/pay/P1'))).toMatchObject({
      status: 'SUCCESS',
      refundedAmount: 2300,
    });
  });

  it('gives back a part, never more than is left, never of what was not paid', () => {
    const bench = new Bench();
    bench.pay('1', 2300);
    bench.unpay('part', 300, undefined, '1');
    expect(bodyOf(bench.unpay('1', 2300)).code).toBe(40001);
    expect(bodyOf(bench.unpay('9', 2300)).code).toBe(40401);
    bench.askEnergy('POST', '/v1/pay/P8/close', {});
    expect(bodyOf(bench.unpay('8', 2300)).code).toBe(40904);
    expect(rules(bench)).toEqual(['refund-over-payment']);
    expect(balance(bench)).toBe(8_000);
  });

  it('a refund that settled FAILED did nothing, and the same number asks for it anew', () => {
    const bench = new Bench();
    bench.pay('1', 2300);
    const processing = {
      call: 'energy.unpay',
      kind: 'processing',
      ms: 5_000,
      to: 'FAILED',
      queryLagMs: 0,
    } as const;
    expect(resultOf(bench.unpay('1', 2300, processing))).toMatchObject({
      status: 'PROCESSING',
      fundChange: 'N',
    });
    expect(bodyOf(bench.unpay('2', 2300, undefined, '1')).code).toBe(40902);
    bench.clock.move(5_000);
    expect(resultOf(bench.askEnergy('GET', '/v1/unpay/R1'))).toMatchObject({
      status: 'FAILED',
      fundChange: 'N',
    });
    expect(balance(bench)).toBe(7_700);
    expect(resultOf(bench.unpay('1', 2300))).toMatchObject({ status: 'SUCCESS', fundChange: 'Y' });
    expect(bench.energy.books.refunds.get('R1')?.history.map(({ status }) => status)).toEqual([
      'PROCESSING',
      'FAILED',
      'SUCCESS',
    ]);
    expect(balance(bench)).toBe(10_000);
  });

  it('a not-found that lies hides only what is young or PROCESSING', () => {
    const bench = new Bench();
    bench.pay('1', 2300);
    const notFound = { call: 'energy.queryPay', kind: 'not-found', youngMs: 3_000 } as const;
    expect(bodyOf(bench.askEnergy('GET', '/v1/pay/P1', undefined, notFound)).code).toBe(40401);
    bench.clock.move(3_000);
    expect(bodyOf(bench.askEnergy('GET', '/v1/pay/P1', undefined, notFound)).code).toBe(0);
  });

  it('an answer whose effect is lost leaves no trace', () => {
    const bench = new Bench();
    expect(resultOf(bench.pay('1', 2300, { call: 'energy.pay', kind: 'lost-effect' }))).toMatchObject({
      status: 'SUCCESS',
    });
    expect(bench.energy.books.trades.size).toBe(0);
    bench.pay('2', 2300);
    expect(resultOf(bench.unpay('2', 2300, { call: 'energy.unpay', kind: 'lost-effect' }))).toMatchObject({
      status: 'SUCCESS',
      fundChange: 'Y',
    });
    expect(bodyOf(bench.askEnergy('GET', '/v1/unpay/R2')).code).toBe(40402);
    expect(balance(bench)).toBe(7_700);
  });

  it('accepts a consumption once by its number', () => {
    const bench = new Bench();
    const consumption = {
      recordNo: 'c1',
      userId: 'alice',
      amount: 900,
      canteen: '一食堂',
      consumedAt: '2026-11-23T12:00:00+08:00',
    };
    expect(resultOf(bench.askEnergy('POST', '/v1/consumptions', consumption))).toEqual({
      recordNo: 'c1',
      status: 'ACCEPTED',
      duplicate: false,
    });
    expect(resultOf(bench.askEnergy('POST', '/v1/consumptions', consumption))).toMatchObject({
      duplicate: true,
    });
    expect(bodyOf(bench.askEnergy('POST', '/v1/consumptions', { ...consumption, amount: 901 })).code).toBe(
      40901,
    );
    expect(bench.energy.books.consumptions.size).toBe(1);
  });

  it('keeps each state of a trade with its instant', () => {
    const bench = new Bench();
    bench.pay('1', 2300, { call: 'energy.pay', kind: 'failed' });
    const trade = bench.energy.books.trades.get('P1');
    expect(trade && now(trade)).toBe('FAILED');
    expect(resultOf(bench.pay('1', 2300))).toMatchObject({ status: 'FAILED', duplicate: true });
    expect(balance(bench)).toBe(10_000);
  });
});
