import type { Fault, PayerCall } from '../fault.js';
import { canonical, type Fields, parseObject } from '../fields.js';
import { type Delivery, misbehave } from '../misbehave.js';
import { type Clock, type Random, type Reply, reply, type VendorRequest } from '../vendor.js';
import { VendorModel } from '../vendor-model.js';
import { asOf, now, PayerBooks, type PayResult, type Refund, type RefundState, type Trade } from './books.js';
import { type Form, type Note, Notifier, type Post } from './notify.js';
import type { PayerKeys } from './sign.js';
import { flawOfRequest, OWN_WORD, sealAnswer } from './wechat-headers.js';
import { composeNote, tradeView } from './wechat-note.js';
import { wrongCreate, wrongRefund } from './wechat-rules.js';

export interface WeChatPayOptions {
  readonly secrets: {
    readonly mchId: string;
    readonly appId: string;
    /** Of the merchant's certificate. */
    readonly serialNo: string;
    /** Of the payer's own key, e.g. `PUB_KEY_ID_…`. */
    readonly platformSerial: string;
    readonly keys: PayerKeys;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly post: Post;
  /** The prefix that the server sees before the path; the signature covers it. Default none. */
  readonly basePath?: string;
  /** Milliseconds between the attempts of a notification. */
  readonly notifyPauses?: readonly number[];
  /** A close sooner than this after the create is refused: the older rules say five minutes. Default 0. */
  readonly closeNotBeforeMs?: number;
  readonly faultOf?: (call: 'wechat.notify') => Fault | undefined;
}

const PAUSES = [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600].map((s) => s * 1_000);

type Ours = Exclude<PayerCall, `alipay.${string}` | 'wechat.notify'>;

/** WeChat Pay v3, Native: trades, refunds and notifications, by the contract's page. */
export class WeChatPay extends VendorModel<WeChatPayOptions> {
  readonly books: PayerBooks;
  readonly notifier: Notifier;

  constructor(options: WeChatPayOptions) {
    super(options);
    this.books = new PayerBooks(options.clock);
    const isTaken = ({ status }: { status: number }): boolean => status >= 200 && status < 300;
    const pauses = options.notifyPauses ?? PAUSES;
    this.notifier = new Notifier({ clock: options.clock, post: options.post, pauses, isTaken });
  }

  override deliver(request: VendorRequest, fault?: Fault): Delivery {
    const call = wechatCallOf(request);
    const mine = fault?.call === call ? fault : undefined;
    const delivery = misbehave(mine, this.clock, () => this.answer(call, request, mine));
    return sealAnswer(delivery, mine, this.options.secrets, this.clock.now());
  }

  /** The diner scans the code and pays. */
  pay(outTradeNo: string): PayResult {
    const result = this.books.pay(outTradeNo);
    const trade = this.books.trades.get(outTradeNo);
    if (result === 'paid' && trade) {
      const compose = this.composer(trade);
      this.notifier.send(
        { outTradeNo, url: trade.notifyUrl, compose },
        this.options.faultOf?.('wechat.notify'),
      );
    }
    return result;
  }

  /** The notification of a paid trade, as it would be sent now, genuine or false. */
  note(outTradeNo: string, form: Form = 'genuine'): Note {
    const trade = this.books.trades.get(outTradeNo);
    if (!trade?.transactionNo) throw new Error(`${outTradeNo} is not paid`);
    return this.composer(trade)(form);
  }

  private composer(trade: Trade): (form: Form) => Note {
    const { options, clock } = this;
    const id = `EV-${trade.transactionNo}`;
    return (form) => composeNote({ trade, id, secrets: options.secrets, at: clock.now() }, form);
  }

  private answer(call: Ours | undefined, request: VendorRequest, fault: Fault | undefined): Reply {
    const refused = this.refuse(call, request, fault);
    const said = refused ?? this.work(call, request, fault);
    const isOfTheDoor = said.status === 401 || said.status === 429; // said before anybody knows who asks: not signed
    return isOfTheDoor ? said : { ...said, headers: { ...said.headers, [OWN_WORD]: 'yes' } };
  }

  private refuse(
    call: Ours | undefined,
    request: VendorRequest,
    fault: Fault | undefined,
  ): Reply | undefined {
    const { secrets, basePath } = this.options;
    if (fault?.kind === 'skew') return error(401, 'SIGN_ERROR');
    const flaw = flawOfRequest(request, { secrets, basePath: basePath ?? '', now: this.clock.now() });
    if (flaw) return this.complain(call, 'signature', flaw, 401, 'SIGN_ERROR');
    if (request.headers['x-sandbox-fault'] !== undefined) this.told.add(call ?? 'wechat', 'sandbox-header');
    if (fault?.kind === 'rate-limit') return error(429, 'FREQUENCY_LIMITED', String(fault.retryAfterS));
    if (fault?.kind === 'refused') return error(fault.code === 'SYSTEM_ERROR' ? 500 : 400, fault.code);
    return undefined;
  }

  private work(call: Ours | undefined, request: VendorRequest, fault: Fault | undefined): Reply {
    switch (call) {
      case 'wechat.create':
        return this.create(request, fault);
      case 'wechat.query':
        return this.query(request, fault);
      case 'wechat.close':
        return this.close(request, fault);
      case 'wechat.refund':
        return this.refund(request, fault);
      case 'wechat.queryRefund':
        return this.queryRefund(lastOf(request), fault);
      case undefined:
        return this.complain(call, 'no-such-call', `${request.method} ${request.path}`, 404, 'NOT_FOUND');
    }
  }

  private create(request: VendorRequest, fault: Fault | undefined): Reply {
    const body = parseObject(request.body);
    const wrong = wrongCreate(body, this.options.secrets, this.clock.now());
    if (!body || wrong)
      return this.complain('wechat.create', 'bad-field', wrong ?? 'body', 400, 'PARAM_ERROR');
    const outTradeNo = String(body.out_trade_no);
    const known = this.books.trades.get(outTradeNo);
    if (known && known.content !== canonical(body))
      return this.complain('wechat.create', 'other-body', outTradeNo, 400, 'INVALID_REQUEST');
    if (known && now(known) === 'CLOSED') return error(400, 'ORDER_CLOSED');
    if (known && now(known) === 'SUCCESS') return error(400, 'ORDERPAID');
    const code = known?.code ?? `weixin://wxpay/bizpayurl?pr=${outTradeNo}`;
    if (!known && fault?.kind !== 'lost-effect') this.add(body, code);
    if (fault?.kind === 'paid-early') this.pay(outTradeNo);
    return reply({ code_url: code });
  }

  private add(body: Fields, code: string): void {
    this.books.add({
      outTradeNo: String(body.out_trade_no),
      amount: Number((body.amount as Fields).total),
      content: canonical(body),
      code,
      expiresAt: Date.parse(String(body.time_expire)),
      notifyUrl: String(body.notify_url),
      scannedAt: this.clock.now(),
    });
  }

  private query(request: VendorRequest, fault: Fault | undefined): Reply {
    if (new URLSearchParams(request.path.split('?')[1]).get('mchid') !== this.options.secrets.mchId)
      return this.complain('wechat.query', 'bad-field', 'mchid', 400, 'PARAM_ERROR');
    const trade = this.books.trades.get(lastOf(request));
    const lagMs = fault?.kind === 'read-lag' ? fault.ms : 0;
    const state = trade && asOf(trade, this.clock.now() - lagMs);
    if (!trade || !state || isHidden(trade, fault, this.clock.now())) return error(404, 'ORDER_NOT_EXIST');
    if (fault?.kind === 'user-paying' && now(trade) === 'NOTPAY') {
      this.clock.later(fault.ms, () => void this.pay(trade.outTradeNo));
      return reply(tradeView(trade, 'USERPAYING', this.options.secrets));
    }
    const isRefunded = state === 'SUCCESS' && this.books.refundsOf(trade.outTradeNo).length > 0;
    return reply(tradeView(trade, isRefunded ? 'REFUND' : state, this.options.secrets));
  }

  private close(request: VendorRequest, fault: Fault | undefined): Reply {
    const outTradeNo = decodeURIComponent(request.path.split('/')[5] ?? '');
    const body = parseObject(request.body);
    if (body?.mchid !== this.options.secrets.mchId)
      return this.complain('wechat.close', 'bad-field', 'mchid', 400, 'PARAM_ERROR');
    const trade = this.books.trades.get(outTradeNo);
    if (!trade) return error(404, 'ORDER_NOT_EXIST');
    if (fault?.kind === 'paid-before') this.pay(outTradeNo);
    if (now(trade) === 'SUCCESS') return error(400, 'ORDERPAID');
    if (now(trade) === 'CLOSED') return error(400, 'ORDER_CLOSED');
    if (fault?.kind === 'user-paying') {
      this.clock.later(fault.ms, () => void this.pay(outTradeNo));
      return error(400, 'USERPAYING');
    }
    if ((trade.history[0]?.at ?? 0) > this.clock.now() - (this.options.closeNotBeforeMs ?? 0))
      return error(400, 'ORDER_NOT_CLOSEABLE');
    if (fault?.kind !== 'lost-effect') this.books.close(trade);
    return reply(undefined, 204);
  }

  private refund(request: VendorRequest, fault: Fault | undefined): Reply {
    const body = parseObject(request.body);
    const wrong = wrongRefund(body);
    if (!body || wrong)
      return this.complain('wechat.refund', 'bad-field', wrong ?? 'body', 400, 'PARAM_ERROR');
    const [outTradeNo, outRefundNo] = [String(body.out_trade_no), String(body.out_refund_no)];
    const { refund: amount, total } = body.amount as { refund: number; total: number };
    const known = this.books.refunds.get(outRefundNo);
    if (known && known.content !== canonical(body))
      return this.complain('wechat.refund', 'other-body', outRefundNo, 400, 'INVALID_REQUEST');
    if (known) return reply(refundView(known, now(known)));
    if (this.books.paid(outTradeNo) === 0) return error(404, 'RESOURCE_NOT_EXISTS');
    if (total !== this.books.paid(outTradeNo))
      return this.complain('wechat.refund', 'other-total', `${outTradeNo}: ${total}`, 400, 'INVALID_REQUEST');
    if (amount > this.books.paid(outTradeNo) - this.books.refunded(outTradeNo, true))
      return this.complain('wechat.refund', 'refund-over-payment', outTradeNo, 400, 'INVALID_REQUEST');
    return this.giveBack({ outTradeNo, outRefundNo, amount, content: canonical(body) }, fault);
  }

  private giveBack(
    wanted: Pick<Refund, 'outTradeNo' | 'outRefundNo' | 'amount' | 'content'>,
    fault: Fault | undefined,
  ): Reply {
    const lagMs = fault?.kind === 'processing' ? fault.queryLagMs : 0;
    const refund: Refund = { ...wanted, refundNo: this.books.number('50'), history: [], lagMs };
    if (fault?.kind === 'lost-effect') return reply(refundView(refund, 'SUCCESS'));
    this.books.refunds.set(refund.outRefundNo, refund);
    this.books.move<RefundState>(refund, firstState(fault));
    const settle = (ms: number, to: 'SUCCESS' | 'CLOSED'): void =>
      this.clock.later(ms, () => this.books.settleRefund(refund.outRefundNo, to));
    if (fault?.kind === 'processing') settle(fault.ms, fault.to === 'SUCCESS' ? 'SUCCESS' : 'CLOSED');
    if (fault?.kind === 'abnormal' && fault.ms !== null) settle(fault.ms, 'SUCCESS');
    return reply(refundView(refund, now(refund)));
  }

  private queryRefund(outRefundNo: string, fault: Fault | undefined): Reply {
    const refund = this.books.refunds.get(outRefundNo);
    const lagMs = Math.max(refund?.lagMs ?? 0, fault?.kind === 'read-lag' ? fault.ms : 0);
    const state = refund && asOf(refund, this.clock.now() - lagMs);
    if (!refund || !state || isHidden(refund, fault, this.clock.now()))
      return error(404, 'RESOURCE_NOT_EXISTS');
    return reply(refundView(refund, state));
  }

  private complain(
    call: Ours | undefined,
    rule: string,
    detail: string,
    status: number,
    code: string,
  ): Reply {
    this.told.add(call ?? 'wechat', rule, detail);
    return error(status, code);
  }
}

export function wechatCallOf({ method, path }: VendorRequest): Ours | undefined {
  const route = `${method} ${path.replace(/\?.*$/, '')}`;
  if (route === 'POST /v3/pay/transactions/native') return 'wechat.create';
  if (/^GET \/v3\/pay\/transactions\/out-trade-no\/[^/]+$/.test(route)) return 'wechat.query';
  if (/^POST \/v3\/pay\/transactions\/out-trade-no\/[^/]+\/close$/.test(route)) return 'wechat.close';
  if (route === 'POST /v3/refund/domestic/refunds') return 'wechat.refund';
  return /^GET \/v3\/refund\/domestic\/refunds\/[^/]+$/.test(route) ? 'wechat.queryRefund' : undefined;
}

const lastOf = ({ path }: VendorRequest): string =>
  decodeURIComponent(path.replace(/\?.*$/, '').split('/').at(-1) ?? '');

const error = (status: number, code: string, retryAfter?: string): Reply =>
  reply({ code, message: `${code} of the model` }, status, retryAfter ? { 'retry-after': retryAfter } : {});

/** A lagging view says "no such thing" of what is young. */
export function isHidden(
  record: { readonly history: readonly { at: number }[] },
  fault: Fault | undefined,
  instant: number,
): boolean {
  return fault?.kind === 'not-found' && (record.history.at(-1)?.at ?? 0) > instant - fault.youngMs;
}

function firstState(fault: Fault | undefined): RefundState {
  if (fault?.kind === 'processing') return 'PROCESSING';
  if (fault?.kind === 'failed') return 'CLOSED';
  return fault?.kind === 'abnormal' ? 'ABNORMAL' : 'SUCCESS';
}

function refundView({ refundNo, outRefundNo, outTradeNo, amount }: Refund, status: RefundState | undefined) {
  const money = { refund: amount, currency: 'CNY' };
  return { refund_id: refundNo, out_refund_no: outRefundNo, out_trade_no: outTradeNo, status, amount: money };
}
