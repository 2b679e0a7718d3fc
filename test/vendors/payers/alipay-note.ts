import { type AlipaySecrets, chinaTime, yuanOf } from './alipay-form.js';
import type { Trade } from './books.js';
import type { Form, Note } from './notify.js';
import { alipayText, rsaSign } from './sign.js';

/** A person: it must appear nowhere in what the merchant keeps. */
export const BUYER = { buyer_id: '2088102116773037', buyer_logon_id: '159****5620' };

export interface NoteParts {
  readonly trade: Trade;
  readonly secrets: AlipaySecrets;
  readonly at: number;
}

/** The notification that a trade was paid: a form, signed over all of it but `sign` and `sign_type`. */
export function composeNote({ trade, secrets, at }: NoteParts, form: Form): Note {
  const fields: Record<string, string> = {
    notify_time: chinaTime(at),
    notify_type: 'trade_status_sync',
    notify_id: `${trade.transactionNo}${form === 'genuine' ? '' : form}`,
    app_id: secrets.appId,
    seller_id: secrets.sellerId,
    out_trade_no: trade.outTradeNo,
    trade_no: trade.transactionNo ?? '',
    trade_status: 'TRADE_SUCCESS',
    total_amount: yuanOf(trade.amount),
    receipt_amount: yuanOf(trade.amount),
    subject: '午餐 & 晚餐 = 1+1',
    gmt_create: chinaTime(trade.scannedAt ?? at),
    gmt_payment: chinaTime(trade.paidAt ?? at),
    charset: 'utf-8',
    version: '1.0',
    ...BUYER,
    ...changes(trade, form),
  };
  const key = form === 'forged' ? secrets.keys.stranger.privateKey : secrets.keys.alipay.privateKey;
  const sign = rsaSign(key, alipayText(fields, ['sign', 'sign_type']));
  const sent = {
    ...fields,
    ...(form === 'altered' ? { total_amount: yuanOf(trade.amount + 1) } : {}),
    sign_type: 'RSA2',
    ...(form === 'unsigned' ? {} : { sign }),
  };
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  return { headers, body: new URLSearchParams(sent).toString() };
}

function changes(trade: Trade, form: Form): Record<string, string> {
  switch (form) {
    case 'other-merchant':
      return { seller_id: '2088999999999999' };
    case 'other-application':
      return { app_id: '2021999999999999' };
    case 'other-amount':
      return { total_amount: yuanOf(trade.amount - 1) };
    case 'unknown-payment':
      return { out_trade_no: 'W0000000000000000' };
    case 'unreadable':
      return { total_amount: 'a lot' };
    default:
      return {};
  }
}
