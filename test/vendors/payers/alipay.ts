import type { Fault, PayerCall } from '../fault.js';
import { canonical, type Fields, parseObject } from '../fields.js';
import { type Delivery, misbehave } from '../misbehave.js';
import { type Clock, type Random, type Reply, reply, type VendorRequest } from '../vendor.js';
import { VendorModel } from '../vendor-model.js';
import {
  type AlipaySecrets,
  centsOf,
  flawOfForm,
  formOf,
  instantOf,
  OWN_WORD,
  sealMember,
  yuanOf,
} from './alipay-form.js';
import { composeNote } from './alipay-note.js';
import { asOf, now, PayerBooks, type PayResult, type Refund, type RefundState, type Trade } from './books.js';
import { type Form, type Note, Notifier, type Post } from './notify.js';
import { isHidden } from './wechat.js';

export interface AlipayOptions {
  readonly secrets: AlipaySecrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly post: Post;
  /** Milliseconds between the attempts of a notification. */
  readonly notifyPauses?: readonly number[];
  /** A fully refunded trade is shown as TRADE_CLOSED, as the real one does. Default no: the contract does not say so. */
  readonly closesWhenRefunded?: boolean;
  readonly faultOf?: (call: 'alipay.notify') => Fault | undefined;
}

const PAUSES = [4, 10, 10, 60, 120, 360, 900].map((minutes) => minutes * 60_000);

type Ours = Exclude<PayerCall, `wechat.${string}` | 'alipay.notify'>;
const METHODS: Readonly<Record<string, Ours>> = {
  'alipay.trade.precreate': 'alipay.create',
  'alipay.trade.query': 'alipay.query',
  'alipay.trade.close': 'alipay.close',
  'alipay.trade.refund': 'alipay.refund',
  'alipay.trade.fastpay.refund.query': 'alipay.queryRefund',
};

type Said = Readonly<Record<string, unknown>> & { readonly code: string };
const done = (more: Record<string, unknown> = {}): Said => ({ code: '10000', msg: 'Success', ...more });
const refused = (sub: string): Said => ({
  code: '40004',
  msg: 'Business Failed',
  sub_code: sub,
  sub_msg: `${sub} 的说明`,
});

/** Alipay's precreate: codes, trades, refunds and notifications, by the contract's page. */
export class Alipay extends VendorModel<AlipayOptions> {
  readonly books: PayerBooks;
  readonly notifier: Notifier;

  constructor(options: AlipayOptions) {
    super(options);
    this.books = new PayerBooks(options.clock);
    const isTaken = ({ body }: { body: string }): boolean => body === 'success';
    const pauses = options.notifyPauses ?? PAUSES;
    this.notifier = new Notifier({ clock: options.clock, post: options.post, pauses, isTaken });
  }

  override deliver(request: VendorRequest, fault?: Fault): Delivery {
    const call = alipayCallOf(request);
    const mine = fault?.call === call ? fault : undefined;
    const delivery = misbehave(mine, this.clock, () => this.answer(call, request, mine));
    return sealMember(delivery, mine, this.options.secrets.keys);
  }

  /** The diner's telephone reads the code: from now on there is a trade. */
  scan(outTradeNo: string): void {
    const trade = this.books.trades.get(outTradeNo);
    if (trade && this.clock.now() < trade.expiresAt) trade.scannedAt ??= this.clock.now();
  }

  /** The diner scans the code and pays. */
  pay(outTradeNo: string): PayResult {
    const result = this.books.pay(outTradeNo);
    const trade = this.books.trades.get(outTradeNo);
    if (result === 'paid' && trade?.notifyUrl) {
      const compose = this.composer(trade);
      this.notifier.send(
        { outTradeNo, url: trade.notifyUrl, compose },
        this.options.faultOf?.('alipay.notify'),
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
    return (form) => composeNote({ trade, secrets: options.secrets, at: clock.now() }, form);
  }

  private answer(call: Ours | undefined, request: VendorRequest, fault: Fault | undefined): Reply {
    if (fault?.kind === 'rate-limit')
      return reply({ error: 'too many' }, 429, { 'retry-after': String(fault.retryAfterS) });
    const form = formOf(request.body);
    const said = this.refuse(call, request, fault) ?? this.work(call, form, fault);
    const member = `${(form.method ?? 'error').replaceAll('.', '_')}_response`;
    return reply({ [member]: said }, 200, { [OWN_WORD]: 'yes' });
  }

  private refuse(call: Ours | undefined, request: VendorRequest, fault: Fault | undefined): Said | undefined {
    const flaw = flawOfForm(request, this.options.secrets, this.clock.now());
    if (flaw) {
      this.told.add(call ?? 'alipay', 'signature', flaw);
      return { code: '40002', msg: 'Invalid Arguments', sub_code: 'isv.invalid-signature' };
    }
    if (request.headers['x-sandbox-fault'] !== undefined) this.told.add(call ?? 'alipay', 'sandbox-header');
    if (fault?.kind !== 'refused') return undefined;
    return fault.code.endsWith('SYSTEM_ERROR')
      ? { ...refused(fault.code), code: '20000' }
      : refused(fault.code);
  }

  private work(call: Ours | undefined, form: Record<string, string>, fault: Fault | undefined): Said {
    const content = parseObject(form.biz_content ?? '');
    const outTradeNo = String(content?.out_trade_no ?? '');
    if (!content || !/^[0-9A-Za-z_]{1,64}$/.test(outTradeNo))
      return this.complain(call, 'bad-field', 'out_trade_no', 'ACQ.INVALID_PARAMETER');
    switch (call) {
      case 'alipay.create':
        return this.create(content, form.notify_url ?? '', fault);
      case 'alipay.query':
        return this.query(outTradeNo, fault);
      case 'alipay.close':
        return this.close(outTradeNo, fault);
      case 'alipay.refund':
        return this.refund(content, fault);
      case 'alipay.queryRefund':
        return this.queryRefund(outTradeNo, String(content.out_request_no ?? ''), fault);
      case undefined:
        return this.complain(call, 'no-such-call', form.method ?? '', 'isv.invalid-method');
    }
  }

  private create(content: Fields, notifyUrl: string, fault: Fault | undefined): Said {
    const [outTradeNo, amount] = [String(content.out_trade_no), centsOf(content.total_amount)];
    const expiresAt = instantOf(String(content.time_expire));
    if (!amount) return this.complain('alipay.create', 'bad-field', 'total_amount', 'ACQ.INVALID_PARAMETER');
    if (Number.isNaN(expiresAt) || expiresAt <= this.clock.now())
      return this.complain('alipay.create', 'bad-field', 'time_expire', 'ACQ.INVALID_PARAMETER');
    if (typeof content.subject !== 'string' || content.subject.trim() === '' || content.subject.length > 256)
      return this.complain('alipay.create', 'bad-field', 'subject', 'ACQ.INVALID_PARAMETER');
    const known = this.books.trades.get(outTradeNo);
    if (known && known.content !== canonical(content))
      return this.complain('alipay.create', 'other-body', outTradeNo, 'ACQ.CONTEXT_INCONSISTENT');
    if (known && now(known) === 'SUCCESS') return refused('ACQ.TRADE_HAS_SUCCESS');
    if (known && now(known) === 'CLOSED') return refused('ACQ.TRADE_HAS_CLOSE');
    const code = known?.code ?? `https://qr.alipay.com/bax${outTradeNo}`;
    if (!known && fault?.kind !== 'lost-effect')
      this.books.add({
        outTradeNo,
        amount,
        content: canonical(content),
        code,
        expiresAt,
        notifyUrl,
        scannedAt: null,
      });
    if (fault?.kind === 'paid-early') this.pay(outTradeNo);
    return done({ out_trade_no: outTradeNo, qr_code: code });
  }

  /** What has been scanned; a trade that was not paid in time closes by itself. */
  private trade(outTradeNo: string): Trade | undefined {
    const trade = this.books.trades.get(outTradeNo);
    if (!trade || trade.scannedAt === null) return undefined;
    if (this.clock.now() >= trade.expiresAt) this.books.close(trade);
    return trade;
  }

  private query(outTradeNo: string, fault: Fault | undefined): Said {
    if (fault?.kind === 'user-paying') {
      this.scan(outTradeNo);
      this.clock.later(fault.ms, () => void this.pay(outTradeNo));
    }
    const trade = this.trade(outTradeNo);
    const seen = this.clock.now() - (fault?.kind === 'read-lag' ? fault.ms : 0);
    const state = trade && (trade.scannedAt ?? 0) <= seen ? asOf(trade, seen) : undefined;
    if (!trade || !state || isHidden(trade, fault, this.clock.now())) return refused('ACQ.TRADE_NOT_EXIST');
    const isWaiting = fault?.kind === 'user-paying' && state === 'NOTPAY';
    return {
      ...done(),
      ...(isWaiting ? { code: '10003', msg: 'order success pay inprocess' } : {}),
      out_trade_no: outTradeNo,
      trade_no: trade.transactionNo ?? `27${outTradeNo}`,
      trade_status: this.statusOf(trade, state),
      total_amount: yuanOf(trade.amount),
      buyer_user_id: '2088102116773037',
    };
  }

  private statusOf(trade: Trade, state: string): string {
    if (state === 'CLOSED') return 'TRADE_CLOSED';
    if (state !== 'SUCCESS') return 'WAIT_BUYER_PAY';
    const isBack = this.books.refunded(trade.outTradeNo) >= trade.amount;
    return isBack && this.options.closesWhenRefunded ? 'TRADE_CLOSED' : 'TRADE_SUCCESS';
  }

  private close(outTradeNo: string, fault: Fault | undefined): Said {
    if (fault?.kind === 'paid-before') this.pay(outTradeNo);
    const trade = this.trade(outTradeNo);
    if (!trade) return refused('ACQ.TRADE_NOT_EXIST');
    if (now(trade) !== 'NOTPAY') return refused('ACQ.TRADE_STATUS_ERROR');
    if (fault?.kind !== 'lost-effect') this.books.close(trade);
    return done({ out_trade_no: outTradeNo, trade_no: trade.transactionNo ?? `27${outTradeNo}` });
  }

  private refund(content: Fields, fault: Fault | undefined): Said {
    const outTradeNo = String(content.out_trade_no);
    const [outRefundNo, amount] = [String(content.out_request_no ?? ''), centsOf(content.refund_amount)];
    if (!amount || outRefundNo === '')
      return this.complain('alipay.refund', 'bad-field', 'refund', 'ACQ.INVALID_PARAMETER');
    const trade = this.trade(outTradeNo);
    if (!trade) return refused('ACQ.TRADE_NOT_EXIST');
    if (now(trade) !== 'SUCCESS') return refused('ACQ.TRADE_STATUS_ERROR');
    const known = this.books.refunds.get(outRefundNo);
    if (known && known.content !== canonical(content))
      return this.complain('alipay.refund', 'other-body', outRefundNo, 'ACQ.DISCORDANT_REPEAT_REQUEST');
    if (known && now(known) !== 'CLOSED') return this.refundSaid(outTradeNo, 'N');
    if (amount > trade.amount - this.books.refunded(outTradeNo, true))
      return this.complain(
        'alipay.refund',
        'refund-over-payment',
        outTradeNo,
        'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL',
      );
    return this.giveBack({ outTradeNo, outRefundNo, amount, content: canonical(content) }, fault);
  }

  private giveBack(
    wanted: Pick<Refund, 'outTradeNo' | 'outRefundNo' | 'amount' | 'content'>,
    fault: Fault | undefined,
  ): Said {
    if (fault?.kind === 'lost-effect') return this.refundSaid(wanted.outTradeNo, 'Y');
    const lagMs = fault?.kind === 'processing' ? fault.queryLagMs : 0;
    const known = this.books.refunds.get(wanted.outRefundNo);
    const refund: Refund = known ?? { ...wanted, refundNo: this.books.number('50'), history: [], lagMs };
    this.books.refunds.set(refund.outRefundNo, refund);
    const first =
      fault?.kind === 'processing' ? 'PROCESSING' : fault?.kind === 'failed' ? 'CLOSED' : 'SUCCESS';
    this.books.move<RefundState>(refund, first);
    if (fault?.kind === 'processing') {
      const to = fault.to === 'SUCCESS' ? 'SUCCESS' : 'CLOSED';
      this.clock.later(fault.ms, () => this.books.settleRefund(refund.outRefundNo, to));
    }
    return this.refundSaid(wanted.outTradeNo, first === 'SUCCESS' ? 'Y' : 'N');
  }

  private refundSaid(outTradeNo: string, fundChange: 'Y' | 'N'): Said {
    const fee = yuanOf(this.books.refunded(outTradeNo));
    return done({
      out_trade_no: outTradeNo,
      fund_change: fundChange,
      refund_fee: fee,
      ...{ buyer_logon_id: '159****5620' },
    });
  }

  private queryRefund(outTradeNo: string, outRefundNo: string, fault: Fault | undefined): Said {
    if (!this.trade(outTradeNo)) return refused('ACQ.TRADE_NOT_EXIST');
    const refund = this.books.refunds.get(outRefundNo);
    const lagMs = Math.max(refund?.lagMs ?? 0, fault?.kind === 'read-lag' ? fault.ms : 0);
    const state = refund && asOf(refund, this.clock.now() - lagMs);
    const isSeen = refund && state === 'SUCCESS' && !isHidden(refund, fault, this.clock.now());
    const seen = isSeen ? { refund_status: 'REFUND_SUCCESS', refund_amount: yuanOf(refund.amount) } : {};
    return done({ out_trade_no: outTradeNo, out_request_no: outRefundNo, ...seen });
  }

  private complain(call: Ours | undefined, rule: string, detail: string, code: string): Said {
    this.told.add(call ?? 'alipay', rule, detail);
    return refused(code);
  }
}

export function alipayCallOf({ method, path, body }: VendorRequest): Ours | undefined {
  if (method !== 'POST' || path.replace(/\?.*$/, '') !== '/gateway.do') return undefined;
  return METHODS[formOf(body).method ?? ''];
}
