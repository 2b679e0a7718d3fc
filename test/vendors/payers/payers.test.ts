import { describe, expect, it } from 'vitest';
import { everyFault } from '../every-fault.js';
import { PAYER_CALLS, UNSIGNED } from '../fault.js';
import type { VendorAnswer } from '../vendor.js';
import { PayerBench, WINDOW_MS } from './bench.js';
import { rsaVerify } from './sign.js';

const bodyOf = (answer: VendorAnswer): Record<string, unknown> => {
  if (answer.kind !== 'answer') throw new Error(answer.code);
  return { status: answer.status, ...(answer.text === '' ? {} : (JSON.parse(answer.text) as object)) };
};
const saidOf = (answer: VendorAnswer): Record<string, unknown> =>
  Object.values(bodyOf(answer)).find((value) => typeof value === 'object') as Record<string, unknown>;
const soon = () => new Promise((resolve) => setImmediate(resolve));
const NO = 'W2026112400001';

describe('WeChat Pay', () => {
  it('is created, paid once, and closed no more', () => {
    const bench = new PayerBench();
    expect(bodyOf(bench.createWeChat(NO))).toMatchObject({ code_url: expect.stringContaining(NO) });
    expect(bodyOf(bench.createWeChat(NO))).toMatchObject({ status: 200 });
    expect(bodyOf(bench.createWeChat(NO, undefined, 2400))).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(bodyOf(bench.queryWeChat(NO))).toMatchObject({ trade_state: 'NOTPAY' });
    expect([bench.wechat.pay(NO), bench.wechat.pay(NO)]).toEqual(['paid', 'paid-before']);
    expect(bodyOf(bench.queryWeChat(NO))).toMatchObject({ trade_state: 'SUCCESS', amount: { total: 2300 } });
    expect(bodyOf(bench.closeWeChat(NO))).toMatchObject({ status: 400, code: 'ORDERPAID' });
    expect(bench.wechat.complaints.map(({ rule }) => rule)).toEqual(['other-body']);
  });

  it('takes no money after a close, nor after the code has expired', () => {
    const bench = new PayerBench();
    bench.createWeChat(NO);
    expect(bodyOf(bench.closeWeChat(NO))).toEqual({ status: 204 });
    expect(bodyOf(bench.closeWeChat(NO))).toMatchObject({ code: 'ORDER_CLOSED' });
    expect(bodyOf(bench.closeWeChat('W2026112400009'))).toMatchObject({
      status: 404,
      code: 'ORDER_NOT_EXIST',
    });
    expect(bench.wechat.pay(NO)).toBe('closed');
    bench.createWeChat('W2026112400002');
    bench.clock.move(WINDOW_MS);
    expect(bench.wechat.pay('W2026112400002')).toBe('expired');
  });

  it('gives back parts, never more than was paid, and the same number once', () => {
    const bench = new PayerBench();
    bench.createWeChat(NO);
    bench.wechat.pay(NO);
    expect(bodyOf(bench.refundWeChat(NO, 1300, 'R1'))).toMatchObject({ status: 'SUCCESS' });
    expect(bodyOf(bench.refundWeChat(NO, 1300, 'R1'))).toMatchObject({ status: 'SUCCESS' });
    expect(bodyOf(bench.refundWeChat(NO, 1001, 'R2'))).toMatchObject({ code: 'INVALID_REQUEST' });
    bench.refundWeChat(NO, 1000, 'R3', { call: 'wechat.refund', kind: 'abnormal', ms: null });
    expect(bench.wechat.books.refunded(NO)).toBe(1300);
    bench.wechat.books.settleRefund('R3', 'SUCCESS');
    expect([bench.wechat.books.paid(NO), bench.wechat.books.refunded(NO)]).toEqual([2300, 2300]);
    expect(bodyOf(bench.queryWeChat(NO))).toMatchObject({ trade_state: 'REFUND' });
  });

  it('signs every word of its own, and spoils the signature as asked', () => {
    const bench = new PayerBench();
    const proves = (answer: VendorAnswer): boolean => {
      if (answer.kind !== 'answer') return false;
      const of = (name: string): string => answer.headers[`wechatpay-${name}`] ?? '';
      const text = `${of('timestamp')}\n${of('nonce')}\n${answer.text}\n`;
      return rsaVerify(bench.keys.wechat.publicKey, text, of('signature')) && of('serial') === 'PUB_KEY_ID_1';
    };
    bench.createWeChat(NO);
    expect(proves(bench.queryWeChat(NO)) && proves(bench.queryWeChat('W2026112400009'))).toBe(true);
    for (const form of UNSIGNED)
      expect(proves(bench.queryWeChat(NO, { call: 'wechat.query', kind: 'unsigned', form })), form).toBe(
        false,
      );
  });
});

describe('Alipay', () => {
  it('has no trade before the code is scanned', () => {
    const bench = new PayerBench();
    expect(saidOf(bench.createAlipay(NO))).toMatchObject({ code: '10000', qr_code: expect.any(String) });
    const query = () => saidOf(bench.askAlipay('alipay.trade.query', { out_trade_no: NO }));
    expect(query()).toMatchObject({ sub_code: 'ACQ.TRADE_NOT_EXIST' });
    expect(saidOf(bench.askAlipay('alipay.trade.close', { out_trade_no: NO }))).toMatchObject({
      sub_code: 'ACQ.TRADE_NOT_EXIST',
    });
    bench.alipay.scan(NO);
    expect(query()).toMatchObject({ trade_status: 'WAIT_BUYER_PAY' });
    expect(bench.alipay.pay(NO)).toBe('paid');
    expect(query()).toMatchObject({ trade_status: 'TRADE_SUCCESS', total_amount: '23.00' });
    expect(saidOf(bench.askAlipay('alipay.trade.close', { out_trade_no: NO }))).toMatchObject({
      sub_code: 'ACQ.TRADE_STATUS_ERROR',
    });
  });

  it('closes by itself what was scanned and not paid in time', () => {
    const bench = new PayerBench();
    bench.createAlipay(NO);
    bench.alipay.scan(NO);
    bench.clock.move(WINDOW_MS);
    expect(saidOf(bench.askAlipay('alipay.trade.query', { out_trade_no: NO }))).toMatchObject({
      trade_status: 'TRADE_CLOSED',
    });
    expect(bench.alipay.pay(NO)).toBe('closed');
  });

  it('gives back by number; a number without an end has no status', () => {
    const bench = new PayerBench();
    bench.createAlipay(NO);
    bench.alipay.pay(NO);
    const query = (number: string) =>
      saidOf(
        bench.askAlipay('alipay.trade.fastpay.refund.query', { out_trade_no: NO, out_request_no: number }),
      );
    expect(saidOf(bench.refundAlipay(NO, '13.00', 'R1'))).toMatchObject({ fund_change: 'Y' });
    expect(saidOf(bench.refundAlipay(NO, '13.00', 'R1'))).toMatchObject({ fund_change: 'N' });
    expect(query('R1')).toMatchObject({ refund_status: 'REFUND_SUCCESS', refund_amount: '13.00' });
    const slow = {
      call: 'alipay.refund',
      kind: 'processing',
      ms: 5_000,
      to: 'SUCCESS',
      queryLagMs: 0,
    } as const;
    expect(saidOf(bench.refundAlipay(NO, '10.00', 'R2', slow))).toMatchObject({ fund_change: 'N' });
    expect(query('R2').refund_status).toBeUndefined();
    bench.clock.move(5_000);
    expect(query('R2')).toMatchObject({ refund_status: 'REFUND_SUCCESS' });
    expect(bench.alipay.books.refunded(NO)).toBe(2300);
  });
});

describe('notifications', () => {
  it.each(['wechat', 'alipay'] as const)('of %s come again until they are taken', async (payer) => {
    const bench = new PayerBench();
    bench.takes = false;
    if (payer === 'wechat') bench.createWeChat(NO);
    else bench.createAlipay(NO);
    bench[payer].pay(NO);
    await soon();
    bench.clock.move(240_000);
    await soon();
    expect(bench.notes).toHaveLength(2);
    bench.takes = true;
    bench.clock.move(600_000);
    await soon();
    bench.clock.move(86_400_000);
    await soon();
    expect(bench.notes).toHaveLength(3);
    expect(bench[payer].notifier.pending).toBe(0);
  });

  it('are lost, doubled, or preceded by a false one', async () => {
    const bench = new PayerBench();
    bench.ofNotes.push(
      { call: 'wechat.notify', kind: 'notify-lost' },
      { call: 'wechat.notify', kind: 'notify-doubled' },
      { call: 'wechat.notify', kind: 'notify-false', form: 'forged' },
    );
    for (const at of [1, 2, 3]) {
      bench.createWeChat(`${NO}${at}`);
      bench.wechat.pay(`${NO}${at}`);
      await soon();
    }
    expect(bench.wechat.notifier.attempts.map(({ outTradeNo, form }) => [outTradeNo.at(-1), form])).toEqual([
      ['2', 'genuine'],
      ['2', 'genuine'],
      ['3', 'forged'],
      ['3', 'genuine'],
    ]);
  });
});

it('every call of a payer has its faults', () => {
  const durations = { latencyMs: 1, lateMs: 1, processingMs: 1, lagMs: 1, retryAfterS: 1, oversizeBytes: 10 };
  for (const call of PAYER_CALLS) expect(everyFault(call, durations).length, call).toBeGreaterThan(8);
});
