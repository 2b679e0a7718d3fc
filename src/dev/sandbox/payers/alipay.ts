import { createPublicKey } from 'node:crypto';
import { centsOf, chinaTime, instantOfChina, signedText, yuanOf } from '../../../clients/alipay-proof.js';
import { rsaSign, rsaVerify } from '../../../clients/payer-keys.js';
import { parseJson } from '../../../clients/transport.js';
import type { Fault } from '../faults.js';
import type { PayerTrade } from '../ledger.js';
import { json, type Reply, type Understood, type VendorRequest } from '../vendor.js';
import type { PayerBooks } from './books.js';
import { ALIPAY, type PayerKeys } from './keys.js';
import type { Note } from './notify.js';

export interface AlipayVendor {
  readonly books: PayerBooks;
  readonly keys: PayerKeys;
  readonly now: () => number;
  /** Where the diner's telephone finds the page of a payment. */
  readonly pageOf: (outTradeNo: string) => string;
}

type Content = Readonly<Record<string, unknown>>;
type Said = Readonly<Record<string, unknown>>;
const done = (more: Said = {}): Said => ({ code: '10000', msg: 'Success', ...more });
const refused = (sub: string): Said => ({
  code: '40004',
  msg: 'Business Failed',
  sub_code: sub,
  sub_msg: sub,
});

type Work = (vendor: AlipayVendor, content: Content, fault: Fault | undefined, notifyUrl: string) => Said;
const methods: Readonly<Record<string, { readonly call: Understood['call']; readonly work: Work }>> = {
  'alipay.trade.precreate': { call: 'alipay.create', work: create },
  'alipay.trade.query': { call: 'alipay.query', work: query },
  'alipay.trade.close': { call: 'alipay.close', work: close },
  'alipay.trade.refund': { call: 'alipay.refund', work: refund },
  'alipay.trade.fastpay.refund.query': { call: 'alipay.queryRefund', work: queryRefund },
};

/** Alipay, precreate. Every answer of its own is signed over the text of its member. */
export function understandAlipay(vendor: AlipayVendor, request: VendorRequest): Understood | null {
  if (request.method !== 'POST' || request.path !== '/alipay/gateway.do') return null;
  const form = Object.fromEntries(new URLSearchParams(request.body));
  const method = methods[form.method ?? ''];
  if (!method) return null;
  const member = `${(form.method ?? '').replaceAll('.', '_')}_response`;
  const content = (parseJson(form.biz_content ?? '') ?? {}) as Content;
  const say = (said: Said, fault?: Fault): Reply => seal(vendor, member, said, fault);
  const isGenuine =
    form.app_id === ALIPAY.appId &&
    rsaVerify(createPublicKey(vendor.keys.merchant), Buffer.from(signedText(form, ['sign'])), form.sign);
  return {
    call: method.call,
    refusal: isGenuine
      ? null
      : say({ code: '40002', msg: 'Invalid Arguments', sub_code: 'isv.invalid-signature' }),
    apply: (fault) => say(method.work(vendor, content, fault, form.notify_url ?? ''), fault),
    refuse: (code = 'ACQ.INVALID_PARAMETER') => say(refused(code)),
    rateLimit: () => ({ status: 429, headers: { 'Retry-After': '1' }, body: 'slow down' }),
  };
}

function create(
  { books, pageOf }: AlipayVendor,
  content: Content,
  fault: Fault | undefined,
  notifyUrl: string,
): Said {
  const outTradeNo = String(content.out_trade_no ?? '');
  const amount = centsOf(String(content.total_amount));
  const expiresAtMs = instantOfChina(String(content.time_expire))?.getTime();
  if (!outTradeNo || !amount || expiresAtMs === undefined) return refused('ACQ.INVALID_PARAMETER');
  const known = books.trade(outTradeNo);
  const body = JSON.stringify(content);
  if (known && known.body !== body) return refused('ACQ.CONTEXT_INCONSISTENT');
  if (known && known.status !== 'NOTPAY')
    return refused(known.status === 'SUCCESS' ? 'ACQ.TRADE_HAS_SUCCESS' : 'ACQ.TRADE_HAS_CLOSE');
  const description = String(content.subject);
  if (!known) books.add({ outTradeNo, amount, description, expiresAtMs, notifyUrl, body });
  if (fault?.kind === 'paid-early') books.pay(outTradeNo);
  return done({ out_trade_no: outTradeNo, qr_code: pageOf(outTradeNo) });
}

/** What has been scanned; a trade that was not paid in time closes by itself. */
function tradeOf({ books, now }: AlipayVendor, content: Content): PayerTrade | undefined {
  const outTradeNo = String(content.out_trade_no ?? '');
  const trade = books.trade(outTradeNo);
  if (!trade?.isScanned) return undefined;
  if (now() >= trade.expiresAtMs) books.close(outTradeNo);
  return books.trade(outTradeNo);
}

function query(vendor: AlipayVendor, content: Content, fault: Fault | undefined): Said {
  const { books } = vendor;
  if (fault?.kind === 'user-paying') {
    books.scan(String(content.out_trade_no));
    books.payLater(String(content.out_trade_no), fault.ms);
  }
  const trade = tradeOf(vendor, content);
  if (!trade || books.isHidden(trade, fault)) return refused('ACQ.TRADE_NOT_EXIST');
  const states = { NOTPAY: 'WAIT_BUYER_PAY', CLOSED: 'TRADE_CLOSED', SUCCESS: 'TRADE_SUCCESS' } as const;
  return done({
    out_trade_no: trade.outTradeNo,
    trade_no: trade.transactionNo ?? `27${trade.outTradeNo}`,
    trade_status: states[trade.status],
    total_amount: yuanOf(trade.amount),
    buyer_user_id: '2088000000000099',
  });
}

function close(vendor: AlipayVendor, content: Content, fault: Fault | undefined): Said {
  const outTradeNo = String(content.out_trade_no ?? '');
  if (fault?.kind === 'paid-before') vendor.books.pay(outTradeNo);
  const trade = tradeOf(vendor, content);
  if (!trade) return refused('ACQ.TRADE_NOT_EXIST');
  if (trade.status !== 'NOTPAY') return refused('ACQ.TRADE_STATUS_ERROR');
  vendor.books.close(outTradeNo);
  return done({ out_trade_no: outTradeNo });
}

function refund(vendor: AlipayVendor, content: Content, fault: Fault | undefined): Said {
  const { books } = vendor;
  const [outTradeNo, outRefundNo] = [
    String(content.out_trade_no ?? ''),
    String(content.out_request_no ?? ''),
  ];
  const amount = centsOf(String(content.refund_amount));
  if (!amount || !outRefundNo) return refused('ACQ.INVALID_PARAMETER');
  const trade = tradeOf(vendor, content);
  if (trade?.status !== 'SUCCESS') return refused(trade ? 'ACQ.TRADE_STATUS_ERROR' : 'ACQ.TRADE_NOT_EXIST');
  const known = books.refund(outRefundNo);
  const body = JSON.stringify(content);
  if (known && known.body !== body) return refused('ACQ.DISCORDANT_REPEAT_REQUEST');
  const say = (fundChange: 'Y' | 'N'): Said =>
    done({
      out_trade_no: outTradeNo,
      fund_change: fundChange,
      refund_fee: yuanOf(books.refunded(outTradeNo)),
    });
  if (known && known.status !== 'CLOSED') return say('N');
  if (amount > trade.amount - books.refunded(outTradeNo)) return refused('ACQ.REFUND_AMT_NOT_EQUAL_TOTAL');
  const { status } = books.giveBack({ outTradeNo, outRefundNo, amount, body }, fault);
  return say(status === 'SUCCESS' ? 'Y' : 'N');
}

function queryRefund(vendor: AlipayVendor, content: Content, fault: Fault | undefined): Said {
  const { books } = vendor;
  if (!tradeOf(vendor, content)) return refused('ACQ.TRADE_NOT_EXIST');
  const [outTradeNo, outRefundNo] = [String(content.out_trade_no), String(content.out_request_no ?? '')];
  const found = books.refund(outRefundNo);
  const isSeen = found?.status === 'SUCCESS' && !books.isHidden(found, fault);
  const seen = isSeen ? { refund_status: 'REFUND_SUCCESS', refund_amount: yuanOf(found.amount) } : {};
  return done({ out_trade_no: outTradeNo, out_request_no: outRefundNo, ...seen });
}

/** `unsigned` spoils the proof: `absent` (default), `other-key`. */
function seal({ keys }: AlipayVendor, member: string, said: Said, fault?: Fault): Reply {
  const form = fault?.kind === 'unsigned' ? (fault.variant ?? 'absent') : '';
  const key = form === 'other-key' ? keys.merchant : keys.alipay;
  const sign = form === 'absent' ? {} : { sign: rsaSign(key, JSON.stringify(said)) };
  return json({ [member]: said, ...sign });
}

/** The notification of a paid trade; `form` names how it is false, if it is. */
export function alipayNote({ keys, now }: AlipayVendor, trade: PayerTrade, form: string | null): Note {
  const fields: Record<string, string> = {
    notify_time: chinaTime(now()),
    notify_type: 'trade_status_sync',
    notify_id: `sandbox${trade.transactionNo}${form ?? ''}`,
    app_id: ALIPAY.appId,
    seller_id: form === 'other-merchant' ? '2088000000000002' : ALIPAY.sellerId,
    out_trade_no: trade.outTradeNo,
    trade_no: trade.transactionNo ?? '',
    trade_status: 'TRADE_SUCCESS',
    total_amount: yuanOf(trade.amount + (form === 'other-amount' ? 1 : 0)),
    gmt_payment: chinaTime(trade.paidAtMs ?? 0),
    buyer_id: '2088000000000099',
    charset: 'utf-8',
  };
  const key = form === 'forged' ? keys.merchant : keys.alipay;
  const sign = form === 'unsigned' ? {} : { sign: rsaSign(key, signedText(fields, [])) };
  return {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: new URLSearchParams({ ...fields, sign_type: 'RSA2', ...sign }).toString(),
  };
}
