import { z } from 'zod';
import { applied, notApplied, type Outcome, rejected, unknown } from './outcome.js';
import type { CloseResult, PaymentState, RefundState } from './payer.js';
import { type Answer, parseJson, retryAfterMs } from './transport.js';
import { instantOf } from './wechat-pay-notification.js';

/** What a code means, where no page states it for certain: configuration. */
export interface WeChatPayCodes {
  readonly paid: readonly string[];
  readonly closed: readonly string[];
  readonly none: readonly string[];
  /** A close that is refused for now. */
  readonly notYet: readonly string[];
  /** After which the outcome is not known. */
  readonly doubt: readonly string[];
  readonly tooFast: readonly string[];
}

export const weChatPayCodes: WeChatPayCodes = {
  paid: ['ORDERPAID', 'ORDER_PAID'],
  closed: ['ORDER_CLOSED', 'ORDERCLOSED'],
  none: ['ORDER_NOT_EXIST', 'ORDERNOTEXIST', 'RESOURCE_NOT_EXISTS'],
  notYet: ['USERPAYING', 'INVALID_REQUEST'],
  doubt: ['SYSTEM_ERROR', 'SYSTEMERROR', 'BIZERR_NEED_RETRY', 'ERROR'],
  tooFast: ['FREQUENCY_LIMITED', 'FREQUENCY_LIMIT_EXCEED', 'RATELIMIT_EXCEEDED'],
};
/** Refusals of the request itself. Any other refusal of a close says nothing certain about the trade. */
const OF_THE_REQUEST = ['PARAM_ERROR', 'SIGN_ERROR', 'NO_AUTH', 'MCH_NOT_EXISTS', 'APPID_MCHID_NOT_MATCH'];

const filled = z.string().refine((value) => value.trim() !== '');
const refusal = z.object({ code: filled, message: z.string().nullish() });
const created = z.object({ code_url: filled.max(1_024) });
const trade = z.object({
  appid: z.string(),
  mchid: z.string(),
  out_trade_no: z.string(),
  trade_state: z.enum(['SUCCESS', 'REFUND', 'NOTPAY', 'CLOSED', 'REVOKED', 'USERPAYING', 'PAYERROR']),
  transaction_id: z.string().nullish(),
  success_time: z.string().nullish(),
  amount: z.object({ total: z.number().int().positive(), currency: z.string() }).nullish(),
});
const refund = z.object({
  refund_id: filled,
  out_refund_no: z.string(),
  status: z.enum(['SUCCESS', 'PROCESSING', 'CLOSED', 'ABNORMAL']),
  amount: z.unknown(),
});

/** A signed 4xx. */
export function judgeRefusal(
  answer: Extract<Answer, { kind: 'answer' }>,
  codes: WeChatPayCodes,
): Outcome<never> {
  const parsed = refusal.safeParse(parseJson(answer.text));
  if (!parsed.success) return unknown('MALFORMED', 'a refusal without a code');
  const { code, message } = parsed.data;
  if (codes.tooFast.includes(code))
    return notApplied(code, 'WeChat Pay limits our rate', retryAfterMs(answer.headers) ?? 5_000);
  if (codes.doubt.includes(code)) return unknown(code, message ?? 'the outcome is not known');
  return rejected(code, message ?? 'refused');
}

/** What a refused close says of the trade. */
export function judgeClose(
  refused: Extract<Outcome<never>, { kind: 'rejected' }>,
  codes: WeChatPayCodes,
): Outcome<CloseResult> {
  const { code, message } = refused;
  if (codes.closed.includes(code)) return applied('CLOSED', true);
  if (codes.paid.includes(code)) return applied('PAID');
  if (codes.none.includes(code)) return applied('NONE');
  if (codes.notYet.includes(code)) return applied('NOT_YET');
  return OF_THE_REQUEST.includes(code) || code.startsWith('HTTP_') ? refused : unknown(code, message);
}

export function readCreated(body: unknown): Outcome<{ payUrl: string }> | null {
  const { data } = created.safeParse(body);
  return data ? applied({ payUrl: data.code_url }) : null;
}

/** PAYERROR may still be paid: only a close says that it will not be. */
export function readTrade(
  body: unknown,
  ours: { readonly mchId: string; readonly appId: string },
  paymentNo: string,
): Outcome<PaymentState> | null {
  const { data } = trade.safeParse(body);
  if (data?.out_trade_no !== paymentNo || data.mchid !== ours.mchId || data.appid !== ours.appId) return null;
  switch (data.trade_state) {
    case 'NOTPAY':
    case 'USERPAYING':
    case 'PAYERROR':
      return applied({ kind: 'WAITING' });
    case 'CLOSED':
    case 'REVOKED':
      return applied({ kind: 'CLOSED' });
    case 'SUCCESS':
    case 'REFUND': {
      const { transaction_id: transactionNo, amount } = data;
      if (!transactionNo || amount?.currency !== 'CNY') return null;
      const paidAt = instantOf(data.success_time);
      return applied({ kind: 'PAID', transactionNo, amountInCent: amount.total, paidAt });
    }
  }
}

/** `amountInCent`: what it must be about, where the caller asked for so much. */
export function readRefund(
  body: unknown,
  refundNo: string,
  amountInCent?: number,
): Outcome<RefundState> | null {
  const { data } = refund.safeParse(body);
  if (data?.out_refund_no !== refundNo) return null;
  const told = z.object({ refund: z.number() }).safeParse(data.amount).data?.refund;
  if (amountInCent !== undefined && told !== undefined && told !== amountInCent) return null;
  switch (data.status) {
    case 'SUCCESS':
    case 'PROCESSING':
      return applied(data.status);
    case 'CLOSED':
      return applied('FAILED');
    case 'ABNORMAL':
      return rejected('ABNORMAL', 'the money did not reach the diner; a person settles it at WeChat Pay');
  }
}
