import type { Clock } from '../vendor.js';

export type TradeState = 'NOTPAY' | 'USERPAYING' | 'SUCCESS' | 'CLOSED';
export type RefundState = 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL';

export interface Moment<State> {
  readonly at: number;
  readonly state: State;
}

/** One number at a payer. Amounts in cents, instants in milliseconds since 1970. */
export interface Trade {
  readonly outTradeNo: string;
  readonly amount: number;
  /** The content of the call that made it: another content under the same number is refused. */
  readonly content: string;
  /** What the diner's telephone reads. */
  readonly code: string;
  readonly expiresAt: number;
  readonly notifyUrl: string;
  readonly history: Moment<TradeState>[];
  /** Alipay: there is no trade before the code is scanned. */
  scannedAt: number | null;
  transactionNo: string | null;
  paidAt: number | null;
}

export interface Refund {
  readonly refundNo: string;
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly amount: number;
  readonly content: string;
  readonly history: Moment<RefundState>[];
  /** Questions see this refund as it was so many milliseconds ago. */
  readonly lagMs: number;
}

export type PayResult = 'paid' | 'paid-before' | 'closed' | 'expired' | 'no-such-code';

/** The money as a payer keeps it. The present state of a record is the last line of its history. */
export class PayerBooks {
  readonly trades = new Map<string, Trade>();
  readonly refunds = new Map<string, Refund>();
  private numbers = 0;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  number(prefix: string): string {
    this.numbers += 1;
    return `${prefix}${String(this.numbers).padStart(20, '0')}`;
  }

  add(trade: Omit<Trade, 'history' | 'transactionNo' | 'paidAt'>): Trade {
    const added: Trade = { ...trade, history: [], transactionNo: null, paidAt: null };
    this.trades.set(trade.outTradeNo, added);
    this.move(added, 'NOTPAY');
    return added;
  }

  move<S>(record: { readonly history: Moment<S>[] }, state: S): void {
    record.history.push({ at: this.clock.now(), state });
  }

  /** The diner pays. The money moves once, and only while the trade is open and its code is valid. */
  pay(outTradeNo: string): PayResult {
    const trade = this.trades.get(outTradeNo);
    if (!trade) return 'no-such-code';
    const state = now(trade);
    if (state === 'SUCCESS') return 'paid-before';
    if (state === 'CLOSED') return 'closed';
    if (this.clock.now() >= trade.expiresAt) return 'expired';
    trade.scannedAt ??= this.clock.now();
    trade.transactionNo = this.number('42');
    trade.paidAt = this.clock.now();
    this.move<TradeState>(trade, 'SUCCESS');
    return 'paid';
  }

  close(trade: Trade): void {
    if (now(trade) === 'NOTPAY') this.move<TradeState>(trade, 'CLOSED');
  }

  refundsOf(outTradeNo: string): Refund[] {
    return [...this.refunds.values()].filter((refund) => refund.outTradeNo === outTradeNo);
  }

  /** Cents that came under this number. */
  paid(outTradeNo: string): number {
    const trade = this.trades.get(outTradeNo);
    return trade && now(trade) === 'SUCCESS' ? trade.amount : 0;
  }

  /** Cents that went back; `promised`: also those of refunds that have not ended. */
  refunded(outTradeNo: string, promised = false): number {
    const counts = (refund: Refund): boolean =>
      now(refund) === 'SUCCESS' || (promised && now(refund) !== 'CLOSED');
    return this.refundsOf(outTradeNo).reduce((sum, refund) => sum + (counts(refund) ? refund.amount : 0), 0);
  }

  /** A refund ends, by itself or by a person's hand. */
  settleRefund(outRefundNo: string, to: 'SUCCESS' | 'CLOSED'): void {
    const refund = this.refunds.get(outRefundNo);
    if (!refund || now(refund) === 'SUCCESS' || now(refund) === 'CLOSED') return;
    this.move<RefundState>(refund, to);
  }

  /** Records whose last change no question can see yet, and refunds that have not ended. */
  unsettled(): number {
    return [...this.refunds.values()].filter(
      (refund) =>
        now(refund) === 'PROCESSING' || (refund.history.at(-1)?.at ?? 0) > this.clock.now() - refund.lagMs,
    ).length;
  }
}

export function now<S>(record: { readonly history: readonly Moment<S>[] }): S | undefined {
  return record.history.at(-1)?.state;
}

/** The state at that instant. */
export function asOf<S>(record: { readonly history: readonly Moment<S>[] }, instant: number): S | undefined {
  return record.history.findLast(({ at }) => at <= instant)?.state;
}
