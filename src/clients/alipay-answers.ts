import { z } from 'zod';
import { centsOf } from './alipay-proof.js';
import { applied, type Outcome, rejected, unknown } from './outcome.js';
import type { CloseResult, PaymentState, RefundState } from './payer.js';

/** Sub-codes by what they mean to us: configuration where an installation's differ. */
export interface AlipayCodes {
  readonly none: readonly string[];
  /** Of a close: paid, or closed already; a query tells which. */
  readonly ended: readonly string[];
  /** Of a create: the number has been paid. */
  readonly paid: readonly string[];
}

export const alipayCodes: AlipayCodes = {
  none: ['ACQ.TRADE_NOT_EXIST'],
  ended: ['ACQ.TRADE_STATUS_ERROR', 'ACQ.REASON_TRADE_STATUS_INVALID', 'ACQ.REASON_ILLEGAL_STATUS'],
  paid: ['ACQ.TRADE_HAS_SUCCESS'],
};

/** The diner is paying: of a query WAITING, of anything else no answer to rely on. */
export const WAITING = '10003';
const DONE = '10000';
const UNKNOWN = '20000';
/** The business refuses; or the request does not do: a parameter is missing or wrong, a permission is absent. */
const REFUSED = ['40004', '40001', '40002', '40003', '40006'];

const filled = z.string().refine((value) => value.trim() !== '');
const envelope = z.object({
  code: filled,
  msg: z.string().nullish(),
  sub_code: z.string().nullish(),
  sub_msg: z.string().nullish(),
});
const created = z.object({ out_trade_no: z.string(), qr_code: filled.max(1_024) });
const trade = z.object({
  out_trade_no: z.string().nullish(),
  trade_no: filled,
  trade_status: z.enum(['WAIT_BUYER_PAY', 'TRADE_CLOSED', 'TRADE_SUCCESS', 'TRADE_FINISHED']),
  total_amount: z.union([z.string(), z.number()]),
});
const closed = z.object({ out_trade_no: z.string().nullish() });
const refunded = z.object({ out_trade_no: z.string().nullish(), fund_change: z.enum(['Y', 'N']) });
const foundRefund = z.object({
  out_request_no: z.string().nullish(),
  refund_status: z.literal('REFUND_SUCCESS').optional(),
});

/** What the code of a signed answer says; `read` takes the content of a call that was carried out. */
export function judgeAnswer<T>(content: unknown, read: (content: unknown) => Outcome<T> | null): Outcome<T> {
  const parsed = envelope.safeParse(content);
  if (!parsed.success) return unknown('MALFORMED', 'the answer is not the envelope that Alipay promises');
  const { code, msg, sub_code: sub, sub_msg: words } = parsed.data;
  const message = words ?? msg ?? 'refused';
  if (code === DONE) return read(content) ?? unknown('MALFORMED', 'the answer lacks a required field');
  if (code === WAITING) return unknown(WAITING, message);
  const isDoubt = code === UNKNOWN || sub?.endsWith('SYSTEM_ERROR') === true;
  return !isDoubt && REFUSED.includes(code) ? rejected(sub || code, message) : unknown(sub || code, message);
}

export function readCreated(content: unknown, paymentNo: string): Outcome<{ payUrl: string }> | null {
  const { data } = created.safeParse(content);
  return data?.out_trade_no === paymentNo ? applied({ payUrl: data.qr_code }) : null;
}

export function readTrade(content: unknown, paymentNo: string): Outcome<PaymentState> | null {
  const { data } = trade.safeParse(content);
  if (!data || (data.out_trade_no ?? paymentNo) !== paymentNo) return null;
  switch (data.trade_status) {
    case 'WAIT_BUYER_PAY':
      return applied({ kind: 'WAITING' });
    case 'TRADE_CLOSED':
      return applied({ kind: 'CLOSED' });
    case 'TRADE_SUCCESS':
    case 'TRADE_FINISHED': {
      const amountInCent = centsOf(String(data.total_amount));
      if (amountInCent === null) return null;
      return applied({ kind: 'PAID', transactionNo: data.trade_no, amountInCent, paidAt: null });
    }
  }
}

export function readClosed(content: unknown, paymentNo: string): Outcome<CloseResult> | null {
  const { data } = closed.safeParse(content);
  return data && (data.out_trade_no ?? paymentNo) === paymentNo ? applied('CLOSED') : null;
}

/** No change of funds: the same refund had been made, or has not been made yet. */
export function readRefunded(content: unknown, paymentNo: string): Outcome<RefundState> | null {
  const { data } = refunded.safeParse(content);
  if (!data || (data.out_trade_no ?? paymentNo) !== paymentNo) return null;
  return applied(data.fund_change === 'Y' ? 'SUCCESS' : 'PROCESSING');
}

export function readFoundRefund(content: unknown, refundNo: string): Outcome<RefundState> | null {
  const { data } = foundRefund.safeParse(content);
  if (!data || (data.out_request_no ?? refundNo) !== refundNo) return null;
  return applied(data.refund_status ? 'SUCCESS' : 'NONE');
}
