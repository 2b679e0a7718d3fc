import type { Outcome } from './outcome.js';
import type { CallContext } from './transport.js';

/**
 * What WeChat Pay and Alipay have in common. Two points for a caller:
 * - a refund that did nothing (WeChat CLOSED) is `applied('FAILED')`: the same number asks for it again. One that a person must settle at the
 *   payer (WeChat ABNORMAL) is `rejected` with the code `ABNORMAL`; later the same number may be found a SUCCESS;
 * - a fully refunded Alipay trade is TRADE_CLOSED, and so CLOSED: the refunds of a number are asked for by `queryRefund`.
 */
export type PayerType = 'wechat' | 'alipay';

export interface PaymentWanted {
  /** The payer's `out_trade_no`, at most 32 characters. */
  readonly paymentNo: string;
  readonly amountInCent: number;
  readonly description: string;
  /** Told to the payer in whole seconds, rounded down: from this instant on no code of it can be scanned. */
  readonly expiresAt: Date;
  readonly notifyUrl: string;
}

/** PAID carries what the payer says; the caller compares the amount with the payment's. */
export type PaymentState =
  | {
      readonly kind: 'PAID';
      readonly transactionNo: string;
      readonly amountInCent: number;
      readonly paidAt: Date | null;
    }
  /** Not paid yet; also while the payer is typing a password. */
  | { readonly kind: 'WAITING' }
  /** Final: no money can arrive under this number any more. */
  | { readonly kind: 'CLOSED' }
  /** The payer does not know the number: it never heard of it, its view lags, or (Alipay) the code was not scanned yet. */
  | { readonly kind: 'NONE' };

/**
 * What a close found. CLOSED: surely unpaid, for good. PAID: the money is there, ask with `query`. NOT_YET: ask again later. NONE: WeChat has no such
 * trade; at Alipay the code can still be scanned until it expires.
 */
export type CloseResult = 'CLOSED' | 'PAID' | 'NONE' | 'NOT_YET';

export interface RefundWanted {
  readonly paymentNo: string;
  /** `R<orderNo>` or `S<complaintId>`: the same number and content is the same refund. */
  readonly refundNo: string;
  readonly amountInCent: number;
  /** What had been paid under `paymentNo`. */
  readonly totalInCent: number;
  readonly reason: string;
}

/** FAILED: ended, and did nothing. NONE: the payer does not know the number, which proves nothing while a call is unanswered. */
export type RefundState = 'SUCCESS' | 'PROCESSING' | 'FAILED' | 'NONE';

/** What a notification says, after its signature was verified. */
export interface Notified {
  readonly notifyId: string;
  readonly paymentNo: string;
  readonly transactionNo: string;
  readonly isPaid: boolean;
  readonly amountInCent: number;
  readonly currency: string;
  readonly merchant: string;
  readonly application: string;
  readonly seller: string | null;
  readonly paidAt: Date | null;
}

export type NotificationReading =
  | { readonly kind: 'genuine'; readonly value: Notified }
  /** Signed by the payer, for another merchant, application or seller. */
  | { readonly kind: 'foreign'; readonly code: string; readonly message: string; readonly paymentNo: string }
  /** Forged, stale, by an unknown serial, a probe, or not readable. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface Payer {
  readonly type: PayerType;
  /** True where the payer cannot close a number that was never scanned: nothing is surely unpaid before its expiry (Alipay). */
  readonly unpaidOnlyAfterExpiry: boolean;
  create(wanted: PaymentWanted, context: CallContext): Promise<Outcome<{ payUrl: string }>>;
  query(paymentNo: string, context: CallContext): Promise<Outcome<PaymentState>>;
  close(paymentNo: string, context: CallContext): Promise<Outcome<CloseResult>>;
  refund(wanted: RefundWanted, context: CallContext): Promise<Outcome<RefundState>>;
  queryRefund(
    wanted: Pick<RefundWanted, 'paymentNo' | 'refundNo'>,
    context: CallContext,
  ): Promise<Outcome<RefundState>>;
  /** `body` as it came; the names of `headers` in lower case. Calls nobody. */
  readNotification(
    headers: Readonly<Record<string, string | undefined>>,
    body: Buffer,
    now: Date,
  ): NotificationReading;
  /** Closes the sockets. */
  end(): void;
}
