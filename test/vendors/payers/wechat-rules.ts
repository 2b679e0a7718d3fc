import type { Fields } from '../fields.js';
import type { WeChatSecrets } from './wechat-headers.js';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$/;
const NUMBER = /^[0-9A-Za-z_*|@-]{6,32}$/;
const REFUND_NUMBER = /^[0-9A-Za-z_*|@-]{1,64}$/;
const isText = (value: unknown, max: number): boolean =>
  typeof value === 'string' && value.trim() !== '' && Array.from(value).length <= max;
const isCents = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

/** The first field of a create that breaks its rule. */
export function wrongCreate(body: Fields | null, secrets: WeChatSecrets, now: number): string | undefined {
  if (!body) return 'body';
  const amount = (body.amount ?? {}) as Fields;
  if (body.appid !== secrets.appId) return 'appid';
  if (body.mchid !== secrets.mchId) return 'mchid';
  if (!isText(body.description, 127)) return 'description';
  if (!NUMBER.test(String(body.out_trade_no))) return 'out_trade_no';
  if (!INSTANT.test(String(body.time_expire)) || Date.parse(String(body.time_expire)) <= now)
    return 'time_expire';
  if (!isText(body.notify_url, 255) || /[?#]/.test(String(body.notify_url))) return 'notify_url';
  if (!isCents(amount.total)) return 'amount.total';
  return amount.currency === 'CNY' ? undefined : 'amount.currency';
}

/** The first field of a refund that breaks its rule. */
export function wrongRefund(body: Fields | null): string | undefined {
  if (!body) return 'body';
  const amount = (body.amount ?? {}) as Fields;
  if (!NUMBER.test(String(body.out_trade_no))) return 'out_trade_no';
  if (!REFUND_NUMBER.test(String(body.out_refund_no))) return 'out_refund_no';
  if (!isText(body.reason, 80)) return 'reason';
  if (!isCents(amount.refund) || !isCents(amount.total)) return 'amount';
  if (Number(amount.refund) > Number(amount.total)) return 'amount.refund';
  return amount.currency === 'CNY' ? undefined : 'amount.currency';
}
