import type { Trade, TradeState } from './books.js';
import type { Form, Note } from './notify.js';
import { encrypt, rsaSign } from './sign.js';
import { proofOf, type WeChatSecrets } from './wechat-headers.js';

/** A person: it must appear nowhere in what the merchant keeps. */
export const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const STALE_MS = 301_000;

/** What a query shows of a trade, and a notification tells. */
export function tradeView(trade: Trade, state: TradeState | 'REFUND', secrets: WeChatSecrets) {
  const isPaid = state === 'SUCCESS' || state === 'REFUND';
  return {
    appid: secrets.appId,
    mchid: secrets.mchId,
    out_trade_no: trade.outTradeNo,
    trade_type: 'NATIVE',
    trade_state: state,
    trade_state_desc: state,
    ...(isPaid
      ? {
          transaction_id: trade.transactionNo,
          success_time: rfc3339(trade.paidAt ?? 0),
          payer: { openid: OPENID },
          amount: { total: trade.amount, payer_total: trade.amount, currency: 'CNY', payer_currency: 'CNY' },
        }
      : {}),
  };
}

export interface NoteParts {
  readonly trade: Trade;
  readonly id: string;
  readonly secrets: WeChatSecrets;
  readonly at: number;
}

export function composeNote(parts: NoteParts, form: Form): Note {
  const { secrets, at } = parts;
  const body = bodyOf(parts, form);
  const proof = proofOf(body, secrets, form === 'stale' ? at - STALE_MS : at);
  const headers = { 'content-type': 'application/json', ...proofFor(proof, form, body, secrets) };
  return { headers, body: form === 'altered' ? body.replace('"id":"EV-', '"id":"EV_') : body };
}

function bodyOf({ trade, id, secrets, at }: NoteParts, form: Form): string {
  const view = { ...tradeView(trade, 'SUCCESS', secrets), ...changes(trade, form) };
  const nonce = `n${String(at).padStart(11, '0')}`.slice(-12);
  const key = form === 'unreadable' ? 'another key of 32 bytes, of other' : secrets.keys.apiV3Key;
  return JSON.stringify({
    id: form === 'genuine' ? id : `${id}-${form}`,
    create_time: rfc3339(trade.paidAt ?? 0),
    event_type: 'TRANSACTION.SUCCESS',
    resource_type: 'encrypt-resource',
    summary: '支付成功',
    resource: {
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: encrypt(key.slice(0, 32), JSON.stringify(view), nonce, 'transaction'),
      nonce,
      associated_data: 'transaction',
      original_type: 'transaction',
    },
  });
}

function changes(trade: Trade, form: Form): Record<string, unknown> {
  const amount = (total: number, currency: string) => ({
    amount: { total, payer_total: total, currency, payer_currency: currency },
  });
  switch (form) {
    case 'other-merchant':
      return { mchid: '1999999999' };
    case 'other-application':
      return { appid: 'wxffffffffffffffff' };
    case 'other-amount':
      return amount(trade.amount - 1, 'CNY');
    case 'other-currency':
      return amount(trade.amount, 'USD');
    case 'unknown-payment':
      return { out_trade_no: 'W0000000000000000' };
    default:
      return {};
  }
}

function proofFor(
  proof: Record<string, string>,
  form: Form,
  body: string,
  secrets: WeChatSecrets,
): Record<string, string> {
  const text = `${proof['wechatpay-timestamp']}\n${proof['wechatpay-nonce']}\n${body}\n`;
  const byStranger = { ...proof, 'wechatpay-signature': rsaSign(secrets.keys.stranger.privateKey, text) };
  switch (form) {
    case 'forged':
      return byStranger;
    case 'unknown-serial':
      return { ...byStranger, 'wechatpay-serial': 'PUB_KEY_ID_OF_NOBODY' };
    case 'probe':
      return { ...proof, 'wechatpay-signature': `WECHATPAY/SIGNTEST/${proof['wechatpay-signature']}` };
    case 'unsigned':
      return {};
    default:
      return proof;
  }
}

export const rfc3339 = (ms: number): string =>
  `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
