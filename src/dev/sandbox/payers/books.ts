import type { PayerType } from '../../../clients/payer.js';
import type { Fault } from '../faults.js';
import type { PayerRefund, PayerTrade } from '../ledger.js';
import type { VendorOptions } from '../vendor.js';

const SETTLES_MS = 2_000;
const LAG_MS = 5_000;

export type PayResult = 'paid' | 'paid-before' | 'closed' | 'expired' | 'unknown';

/** One payer's trades and refunds in the sandbox's ledger. */
export class PayerBooks {
  constructor(
    readonly payer: PayerType,
    private readonly options: VendorOptions,
    /** Told of each trade that was paid. */
    private readonly onPaid: (trade: PayerTrade) => void,
  ) {}

  trade(outTradeNo: string): PayerTrade | undefined {
    return this.options.ledger.find<PayerTrade>('payerTrades', this.#id(outTradeNo));
  }

  refund(outRefundNo: string): PayerRefund | undefined {
    return this.options.ledger.find<PayerRefund>('payerRefunds', this.#id(outRefundNo));
  }

  add(
    wanted: Pick<PayerTrade, 'outTradeNo' | 'amount' | 'description' | 'expiresAtMs' | 'notifyUrl' | 'body'>,
  ): void {
    this.#put({
      ...wanted,
      id: this.#id(wanted.outTradeNo),
      payer: this.payer,
      status: 'NOTPAY',
      isScanned: this.payer === 'wechat', // at Alipay there is no trade before
      transactionNo: null,
      paidAtMs: null,
      isNotified: false,
      createdAtMs: this.options.now(),
    });
  }

  scan(outTradeNo: string): void {
    const trade = this.trade(outTradeNo);
    if (trade && this.options.now() < trade.expiresAtMs) this.#put({ ...trade, isScanned: true });
  }

  /** The money moves once, and only while the trade is open and its code valid. */
  pay(outTradeNo: string): PayResult {
    const trade = this.trade(outTradeNo);
    if (!trade) return 'unknown';
    if (trade.status !== 'NOTPAY') return trade.status === 'SUCCESS' ? 'paid-before' : 'closed';
    if (this.options.now() >= trade.expiresAtMs) return 'expired';
    this.#put({
      ...trade,
      status: 'SUCCESS',
      isScanned: true,
      transactionNo: this.options.ledger.nextNumber('42000'),
      paidAtMs: this.options.now(),
    });
    this.onPaid(this.trade(outTradeNo) ?? trade);
    return 'paid';
  }

  close(outTradeNo: string): void {
    const trade = this.trade(outTradeNo);
    if (trade?.status === 'NOTPAY') this.#put({ ...trade, status: 'CLOSED' });
  }

  notified(outTradeNo: string): void {
    const trade = this.trade(outTradeNo);
    if (trade) this.#put({ ...trade, isNotified: true });
  }

  /** Cents that are back, or promised by a refund that has not ended. */
  refunded(outTradeNo: string): number {
    return this.options.ledger
      .where<PayerRefund>('payerRefunds', 'tradeId', this.#id(outTradeNo))
      .filter(({ status }) => status !== 'CLOSED')
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  giveBack(
    wanted: Pick<PayerRefund, 'outRefundNo' | 'outTradeNo' | 'amount' | 'body'>,
    fault: Fault | undefined,
  ): PayerRefund {
    const status =
      fault?.kind === 'processing' ? 'PROCESSING' : fault?.kind === 'abnormal' ? 'ABNORMAL' : 'SUCCESS';
    const refund: PayerRefund = {
      ...wanted,
      id: this.#id(wanted.outRefundNo),
      tradeId: this.#id(wanted.outTradeNo),
      payer: this.payer,
      refundNo: this.options.ledger.nextNumber('50000'),
      status,
      createdAtMs: this.options.now(),
    };
    this.options.ledger.put('payerRefunds', refund);
    const to = fault?.variant === 'FAILED' ? 'CLOSED' : 'SUCCESS';
    if (status === 'PROCESSING' || (status === 'ABNORMAL' && fault?.ms !== undefined))
      this.options.later(fault?.ms ?? SETTLES_MS, () => this.settle(wanted.outRefundNo, to));
    return refund;
  }

  /** A refund ends, by itself or by a person's hand. */
  settle(outRefundNo: string, status: 'SUCCESS' | 'CLOSED'): boolean {
    const refund = this.refund(outRefundNo);
    if (!refund || refund.status === 'SUCCESS' || refund.status === 'CLOSED') return false;
    this.options.ledger.put('payerRefunds', { ...refund, status });
    return true;
  }

  /** The diner is typing a password, and pays `ms` later. */
  payLater(outTradeNo: string, ms = SETTLES_MS): void {
    this.options.later(ms, () => void this.pay(outTradeNo));
  }

  /** A view that lags does not show what is young. */
  isHidden(record: { readonly createdAtMs: number }, fault: Fault | undefined): boolean {
    return fault?.kind === 'read-lag' && record.createdAtMs > this.options.now() - (fault.ms ?? LAG_MS);
  }

  #put(trade: PayerTrade): void {
    this.options.ledger.put('payerTrades', trade);
  }

  #id(number: string): string {
    return `${this.payer} ${number}`;
  }
}
