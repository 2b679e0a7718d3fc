import { createCipheriv, createPublicKey, randomBytes } from 'node:crypto';
import { toRfc3339 } from '../../../base/clock.js';
import { rsaSign, rsaVerify } from '../../../clients/payer-keys.js';
import { parseJson } from '../../../clients/transport.js';
import type { Fault } from '../faults.js';
import type { PayerRefund, PayerTrade } from '../ledger.js';
import { json, type Reply, type Understood, type VendorRequest } from '../vendor.js';
import type { PayerBooks } from './books.js';
import { type PayerKeys, WECHATPAY } from './keys.js';
import type { Note } from './notify.js';

export interface WeChatPayVendor {
  readonly books: PayerBooks;
  readonly keys: PayerKeys;
  readonly now: () => number;
  /** Where the diner's telephone finds the page of a payment. */
  readonly pageOf: (outTradeNo: string) => string;
}

const SKEW_S = 300;
const PREFIX = '/wechatpay';

/** WeChat Pay v3, Native. Every answer of its own is signed. */
export function understandWeChatPay(vendor: WeChatPayVendor, request: VendorRequest): Understood | null {
  if (!request.path.startsWith(`${PREFIX}/v3/`)) return null;
  const route = `${request.method} ${request.path.slice(PREFIX.length)}`;
  const body = (parseJson(request.body) ?? {}) as Record<string, unknown>;
  const [, no = ''] =
    /^(?:GET|POST) \/v3\/pay\/transactions\/out-trade-no\/([^/]+)(?:\/close)?$/.exec(route) ?? [];
  const [, refundNo = ''] = /^GET \/v3\/refund\/domestic\/refunds\/([^/]+)$/.exec(route) ?? [];
  const outTradeNo = decodeURIComponent(no);
  const of = (call: Understood['call'], work: (fault: Fault | undefined) => Reply): Understood => ({
    call,
    refusal: checkAuthorization(vendor, request),
    apply: (fault) => seal(vendor, work(fault), fault),
    refuse: (code = 'PARAM_ERROR') => seal(vendor, error(code === 'SYSTEM_ERROR' ? 500 : 400, code)),
    rateLimit: () => seal(vendor, error(429, 'FREQUENCY_LIMITED', { 'Retry-After': '1' })),
  });
  if (route === 'POST /v3/pay/transactions/native')
    return of('wechatpay.create', (fault) => create(vendor, body, fault));
  if (no && request.method === 'GET')
    return of('wechatpay.query', (fault) => query(vendor, outTradeNo, fault));
  if (no && route.endsWith('/close'))
    return of('wechatpay.close', (fault) => close(vendor, outTradeNo, fault));
  if (route === 'POST /v3/refund/domestic/refunds')
    return of('wechatpay.refund', (fault) => refund(vendor, body, fault));
  if (refundNo)
    return of('wechatpay.queryRefund', (fault) => queryRefund(vendor, decodeURIComponent(refundNo), fault));
  return null;
}

function checkAuthorization({ keys, now }: WeChatPayVendor, request: VendorRequest): Reply | null {
  const header = String(request.headers.authorization ?? '');
  const part = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(header)?.[1] ?? '';
  const timestamp = part('timestamp');
  const search = request.query.size > 0 ? `?${request.query.toString()}` : '';
  const text = `${request.method}\n${request.path}${search}\n${timestamp}\n${part('nonce_str')}\n${request.body}\n`;
  const isGenuine =
    part('mchid') === WECHATPAY.mchId &&
    part('serial_no') === WECHATPAY.serialNo &&
    Math.abs(now() / 1000 - Number(timestamp)) <= SKEW_S &&
    rsaVerify(createPublicKey(keys.merchant), Buffer.from(text), part('signature'));
  return isGenuine ? null : error(401, 'SIGN_ERROR');
}

function create(
  { books, pageOf }: WeChatPayVendor,
  body: Record<string, unknown>,
  fault: Fault | undefined,
): Reply {
  const outTradeNo = String(body.out_trade_no ?? '');
  const amount = Number((body.amount as { total?: unknown } | undefined)?.total);
  const expiresAtMs = Date.parse(String(body.time_expire));
  if (!outTradeNo || !Number.isInteger(amount) || amount <= 0 || Number.isNaN(expiresAtMs))
    return error(400, 'PARAM_ERROR');
  const known = books.trade(outTradeNo);
  const content = JSON.stringify(body);
  if (known && known.body !== content) return error(400, 'INVALID_REQUEST');
  if (known && known.status !== 'NOTPAY')
    return error(400, known.status === 'SUCCESS' ? 'ORDERPAID' : 'ORDER_CLOSED');
  const [description, notifyUrl] = [String(body.description), String(body.notify_url)];
  if (!known) books.add({ outTradeNo, amount, description, expiresAtMs, notifyUrl, body: content });
  if (fault?.kind === 'paid-early') books.pay(outTradeNo);
  return json({ code_url: pageOf(outTradeNo) });
}

function query({ books }: WeChatPayVendor, outTradeNo: string, fault: Fault | undefined): Reply {
  const trade = books.trade(outTradeNo);
  if (!trade || books.isHidden(trade, fault)) return error(404, 'ORDER_NOT_EXIST');
  const isPaying = fault?.kind === 'user-paying' && trade.status === 'NOTPAY';
  if (isPaying) books.payLater(outTradeNo, fault.ms);
  const isBack = trade.status === 'SUCCESS' && books.refunded(outTradeNo) > 0;
  return json(tradeView(trade, isPaying ? 'USERPAYING' : isBack ? 'REFUND' : trade.status));
}

function close({ books }: WeChatPayVendor, outTradeNo: string, fault: Fault | undefined): Reply {
  if (fault?.kind === 'paid-before') books.pay(outTradeNo);
  const trade = books.trade(outTradeNo);
  if (!trade) return error(404, 'ORDER_NOT_EXIST');
  if (trade.status !== 'NOTPAY') return error(400, trade.status === 'SUCCESS' ? 'ORDERPAID' : 'ORDER_CLOSED');
  if (fault?.kind === 'user-paying') {
    books.payLater(outTradeNo, fault.ms);
    return error(400, 'USERPAYING');
  }
  books.close(outTradeNo);
  return { status: 204, body: '' };
}

function refund({ books }: WeChatPayVendor, body: Record<string, unknown>, fault: Fault | undefined): Reply {
  const [outTradeNo, outRefundNo] = [String(body.out_trade_no ?? ''), String(body.out_refund_no ?? '')];
  const { refund: amount, total } = (body.amount ?? {}) as { refund?: number; total?: number };
  if (!outRefundNo || amount === undefined || !Number.isInteger(amount) || amount <= 0)
    return error(400, 'PARAM_ERROR');
  const known = books.refund(outRefundNo);
  const content = JSON.stringify(body);
  if (known && known.body !== content) return error(400, 'INVALID_REQUEST');
  if (known) return json(refundView(known));
  const trade = books.trade(outTradeNo);
  if (trade?.status !== 'SUCCESS') return error(404, 'RESOURCE_NOT_EXISTS');
  if (total !== trade.amount || amount > trade.amount - books.refunded(outTradeNo))
    return error(400, 'INVALID_REQUEST');
  return json(refundView(books.giveBack({ outTradeNo, outRefundNo, amount, body: content }, fault)));
}

function queryRefund({ books }: WeChatPayVendor, outRefundNo: string, fault: Fault | undefined): Reply {
  const found = books.refund(outRefundNo);
  return found && !books.isHidden(found, fault) ? json(refundView(found)) : error(404, 'RESOURCE_NOT_EXISTS');
}

const error = (status: number, code: string, headers: Record<string, string> = {}): Reply =>
  json({ code, message: `sandbox: ${code}` }, status, headers);

function tradeView(trade: PayerTrade, state: string) {
  const money = { total: trade.amount, payer_total: trade.amount, currency: 'CNY', payer_currency: 'CNY' };
  return {
    appid: WECHATPAY.appId,
    mchid: WECHATPAY.mchId,
    out_trade_no: trade.outTradeNo,
    trade_type: 'NATIVE',
    trade_state: state,
    ...(trade.status === 'SUCCESS'
      ? {
          transaction_id: trade.transactionNo,
          success_time: toRfc3339(new Date(trade.paidAtMs ?? 0)),
          amount: money,
          payer: { openid: 'sandbox-openid' },
        }
      : {}),
  };
}

function refundView({ refundNo, outRefundNo, outTradeNo, amount, status }: PayerRefund) {
  const money = { refund: amount, currency: 'CNY' };
  return { refund_id: refundNo, out_refund_no: outRefundNo, out_trade_no: outTradeNo, status, amount: money };
}

/** `unsigned` spoils the proof: `absent` (default), `other-key`, `probe`. */
function seal(vendor: WeChatPayVendor, reply: Reply, fault?: Fault): Reply {
  const proof = proofOf(vendor, reply.body, {
    form: fault?.kind === 'unsigned' ? (fault.variant ?? 'absent') : '',
  });
  return { ...reply, headers: { ...reply.headers, ...proof } };
}

function proofOf(
  { keys, now }: WeChatPayVendor,
  body: string,
  { form, agoMs = 0 }: { form: string; agoMs?: number },
): Record<string, string> {
  if (form === 'absent') return {};
  const timestamp = String(Math.floor((now() - agoMs) / 1000));
  const nonce = randomBytes(16).toString('hex');
  const key = form === 'other-key' ? keys.merchant : keys.wechatPay;
  const signature = rsaSign(key, `${timestamp}\n${nonce}\n${body}\n`);
  return {
    'Wechatpay-Timestamp': timestamp,
    'Wechatpay-Nonce': nonce,
    'Wechatpay-Serial': form === 'unknown-serial' ? 'PUB_KEY_ID_OF_NOBODY' : WECHATPAY.platformSerial,
    'Wechatpay-Signature': form === 'probe' ? `WECHATPAY/SIGNTEST/${signature}` : signature,
  };
}

const STALE_MS = 3_600_000;
const FORMS: Readonly<Record<string, string>> = { forged: 'other-key', unsigned: 'absent' };

/** The notification of a paid trade; `form` names how it is false, if it is. */
export function weChatPayNote(vendor: WeChatPayVendor, trade: PayerTrade, form: string | null): Note {
  const told = form === 'other-amount' ? { ...trade, amount: trade.amount + 1 } : trade;
  const view = {
    ...tradeView(told, 'SUCCESS'),
    ...(form === 'other-merchant' ? { mchid: '1900000002' } : {}),
  };
  const nonce = randomBytes(6).toString('hex');
  const cipher = createCipheriv('aes-256-gcm', vendor.keys.apiV3Key, nonce).setAAD(
    Buffer.from('transaction'),
  );
  const text = Buffer.concat([cipher.update(JSON.stringify(view)), cipher.final(), cipher.getAuthTag()]);
  const body = JSON.stringify({
    id: `sandbox-${trade.transactionNo}${form === null ? '' : `-${form}`}`,
    create_time: toRfc3339(new Date(trade.paidAtMs ?? 0)),
    event_type: 'TRANSACTION.SUCCESS',
    resource_type: 'encrypt-resource',
    resource: {
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: text.toString('base64'),
      nonce,
      associated_data: 'transaction',
      original_type: 'transaction',
    },
  });
  const spoilt = { form: FORMS[form ?? ''] ?? form ?? '', agoMs: form === 'stale' ? STALE_MS : 0 };
  return { headers: { 'Content-Type': 'application/json', ...proofOf(vendor, body, spoilt) }, body };
}
