import {
  asOf,
  type CardStatus,
  EnergyBooks,
  type Moment,
  now,
  type Refund,
  type RefundStatus,
  type Trade,
  type TradeStatus,
} from './energy-books.js';
import type { Call, Fault } from './fault.js';
import { canonical, type FieldRule, type Fields, parseObject, textOf, wrongFields } from './fields.js';
import { type Delivery, misbehave } from './misbehave.js';
import { energySignature, sameText } from './sign.js';
import { type Clock, type Random, type Reply, reply, type VendorRequest } from './vendor.js';
import { VendorModel } from './vendor-model.js';

export interface EnergyOptions {
  readonly secrets: { readonly appId: string; readonly appSecret: string };
  readonly clock: Clock;
  readonly random: Random;
  /** The prefix that the server sees before the path; the signature covers it. Default none. */
  readonly basePath?: string;
  /** An unknown user gets an account with so many cents at the first sight; absent: 40403. */
  readonly openWithCents?: number;
  /** A close of a PROCESSING trade ends it unpaid (default), or is answered 50001 until the trade has settled. */
  readonly closeWhileProcessing?: 'closes' | 'busy';
}

const SKEW_MS = 300_000;

const PAY: Record<string, FieldRule> = {
  outTradeNo: 'text',
  userId: 'text',
  amount: 'amount',
  subject: 'text',
  orderNo: 'text',
  expireAt: 'instant',
};
const UNPAY: Record<string, FieldRule> = {
  outRefundNo: 'text',
  outTradeNo: 'text',
  userId: 'text',
  amount: 'amount',
  reason: 'text',
};
const CONSUME: Record<string, FieldRule> = {
  recordNo: 'text',
  userId: 'text',
  amount: 'amount',
  canteen: 'text',
  consumedAt: 'instant',
};

interface Outcome {
  readonly code: number;
  readonly result?: unknown;
  readonly status?: number;
  readonly headers?: Record<string, string>;
}

/** The energy center: accounts, payments, refunds and consumptions, by the contract's page. */
export class EnergyCenter extends VendorModel<EnergyOptions> {
  readonly books: EnergyBooks;

  constructor(options: EnergyOptions) {
    super(options);
    this.books = new EnergyBooks(options.clock);
  }

  override deliver(request: VendorRequest, fault?: Fault): Delivery {
    const call = energyCallOf(request);
    const mine = fault?.call === call ? fault : undefined;
    return misbehave(mine, this.clock, () => this.answer(call, request, mine));
  }

  /** A trade that was paid at another shop, a coffee for instance. */
  paidElsewhere(outTradeNo: string, userId: string, amount: number): void {
    const trade = this.addTrade(outTradeNo, userId, amount, 'elsewhere');
    this.books.write<TradeStatus>(trade.history, 'SUCCESS', this.account(userId), -amount);
  }

  setCard(userId: string, cardStatus: CardStatus): void {
    const account = this.account(userId);
    if (account) account.cardStatus = cardStatus;
  }

  private answer(call: Call | undefined, request: VendorRequest, fault: Fault | undefined): Reply {
    const outcome = this.refuse(call, request, fault) ?? this.work(call, request, fault);
    const requestId = request.headers['x-request-id'] ?? '';
    const message = outcome.code === 0 ? 'success' : `code ${outcome.code}`;
    return reply(
      { code: outcome.code, message, result: outcome.result ?? null, requestId },
      outcome.status ?? 200,
      outcome.headers,
    );
  }

  /** What keeps a request from being carried out at all. */
  private refuse(
    call: Call | undefined,
    request: VendorRequest,
    fault: Fault | undefined,
  ): Outcome | undefined {
    if (fault?.kind === 'skew') return { code: 40101, status: 401 };
    const flaw = this.flawOfSignature(request);
    if (flaw) {
      this.told.add(call ?? 'energy', 'signature', flaw);
      return { code: 40101, status: 401 };
    }
    for (const name of ['x-request-id', 'traceparent'])
      if (!request.headers[name]) this.told.add(call ?? 'energy', 'header-missing', name);
    if (request.headers['x-sandbox-fault'] !== undefined) this.told.add(call ?? 'energy', 'sandbox-header');
    if (fault?.kind === 'rate-limit') return limited(fault);
    if (fault?.kind === 'refused') return { code: Number(fault.code) };
    return undefined;
  }

  private flawOfSignature(request: VendorRequest): string | undefined {
    const { appId, appSecret } = this.options.secrets;
    const [timestamp, nonce, signature] = ['x-timestamp', 'x-nonce', 'x-signature'].map(
      (name) => request.headers[name] ?? '',
    );
    if (!timestamp || !nonce || !signature) return 'a header is missing';
    if (request.headers['x-app-id'] !== appId) return 'another application';
    if (!/^\d{13}$/.test(timestamp) || Math.abs(this.clock.now() - Number(timestamp)) > SKEW_MS)
      return 'timestamp';
    const path = `${this.options.basePath ?? ''}${request.path}`;
    const expected = energySignature(appSecret, {
      method: request.method,
      path,
      timestamp,
      nonce,
      body: request.body,
    });
    return sameText(signature, expected) ? undefined : 'wrong signature';
  }

  private work(call: Call | undefined, request: VendorRequest, fault: Fault | undefined): Outcome {
    switch (call) {
      case 'energy.account':
        return this.showAccount(segment(request, 3));
      case 'energy.pay':
        return this.withBody(call, request, PAY, (body) => this.pay(body, fault));
      case 'energy.queryPay':
        return this.queryPay(segment(request, 3), fault);
      case 'energy.close':
        return this.withBody(call, request, {}, () => this.close(segment(request, 3), fault));
      case 'energy.unpay':
        return this.withBody(call, request, UNPAY, (body) => this.unpay(body, fault));
      case 'energy.queryRefund':
        return this.queryRefund(segment(request, 3), fault);
      case 'energy.consume':
        return this.withBody(call, request, CONSUME, (body) => this.consume(body, fault));
      default:
        this.told.add('energy', 'no-such-call', `${request.method} ${request.path}`);
        return { code: 40001, status: 404 };
    }
  }

  private withBody(
    call: Call,
    request: VendorRequest,
    rules: Record<string, FieldRule>,
    work: (body: Fields) => Outcome,
  ): Outcome {
    const body = parseObject(request.body);
    const wrong = body ? wrongFields(body, rules) : ['body'];
    if (!(request.headers['content-type'] ?? '').startsWith('application/json'))
      this.told.add(call, 'content-type', request.headers['content-type'] ?? 'none');
    if (body && wrong.length === 0) return work(body);
    this.told.add(call, 'bad-field', wrong.join(','));
    return { code: 40001 };
  }

  private account(userId: string) {
    const known = this.books.accounts.get(userId);
    const { openWithCents } = this.options;
    return known ?? (openWithCents === undefined ? undefined : this.books.open(userId, openWithCents));
  }

  private showAccount(userId: string): Outcome {
    const account = this.account(userId);
    if (!account) return { code: 40403 };
    const { accountNo, cardStatus, balance, couponCount } = account;
    return { code: 0, result: { userId, accountNo, cardStatus, balance, couponCount } };
  }

  private pay(body: Fields, fault: Fault | undefined): Outcome {
    const [outTradeNo, userId, amount] = [
      textOf(body, 'outTradeNo'),
      textOf(body, 'userId'),
      Number(body.amount),
    ];
    const known = this.books.trades.get(outTradeNo);
    if (known) return this.payAgain(known, canonical(body));
    const account = this.account(userId);
    if (!account) return { code: 40403 };
    if (account.cardStatus !== 'NORMAL') return { code: 40301 };
    if (account.balance < amount) return { code: 40201 };
    if (fault?.kind === 'lost-effect')
      return { code: 0, result: lostTrade(this.books.number('T'), outTradeNo, amount, account.balance) };
    const trade = this.addTrade(outTradeNo, userId, amount, canonical(body));
    this.start(trade, fault, (status) =>
      this.books.write<TradeStatus>(trade.history, status, account, status === 'SUCCESS' ? -amount : 0),
    );
    return { code: 0, result: { ...tradeView(trade, last(trade)), duplicate: false } };
  }

  private payAgain(trade: Trade, content: string): Outcome {
    if (now(trade) === 'CLOSED') return { code: 40904 };
    if (trade.content === content)
      return { code: 0, result: { ...tradeView(trade, last(trade)), duplicate: true } };
    this.told.add('energy.pay', 'other-body', `${trade.outTradeNo}: ${trade.content} then ${content}`);
    return { code: 40901 };
  }

  private addTrade(outTradeNo: string, userId: string, amount: number, content: string): Trade {
    const trade: Trade = {
      tradeNo: this.books.number('T'),
      outTradeNo,
      userId,
      amount,
      content,
      history: [],
      lagMs: 0,
    };
    this.books.trades.set(outTradeNo, trade);
    return trade;
  }

  /** The first state of a trade or refund, and where that is PROCESSING, the one that it settles in, unless it was closed meanwhile. */
  private start<S extends string>(
    record: { history: Moment<S | RefundStatus>[]; lagMs: number },
    fault: Fault | undefined,
    write: (status: RefundStatus) => void,
  ): void {
    record.lagMs = fault?.kind === 'processing' ? fault.queryLagMs : 0;
    write(fault?.kind === 'failed' ? 'FAILED' : fault?.kind === 'processing' ? 'PROCESSING' : 'SUCCESS');
    if (fault?.kind !== 'processing') return;
    this.clock.later(fault.ms, () => {
      if (now(record) === 'PROCESSING') write(fault.to);
    });
  }

  private queryPay(outTradeNo: string, fault: Fault | undefined): Outcome {
    const trade = this.books.trades.get(outTradeNo);
    const moment = trade && this.seen(trade, fault);
    if (!trade || !moment) return { code: 40401 };
    return {
      code: 0,
      result: {
        ...tradeView(trade, moment),
        duplicate: false,
        refundedAmount: this.books.givenBack(outTradeNo, false),
      },
    };
  }

  /** The state that a question sees: of the past where the record or the fault lags, none where the fault says so of a young record. */
  private seen<S>(
    record: { history: Moment<S>[]; lagMs: number },
    fault: Fault | undefined,
  ): Moment<S> | undefined {
    const instant = this.clock.now();
    const young = (ms: number): boolean => now(record) === 'PROCESSING' || last(record).at > instant - ms;
    if (fault?.kind === 'not-found' && young(fault.youngMs)) return undefined;
    return asOf(record, instant - Math.max(record.lagMs, fault?.kind === 'read-lag' ? fault.ms : 0));
  }

  private close(outTradeNo: string, fault: Fault | undefined): Outcome {
    const known = this.books.trades.get(outTradeNo);
    const status = known && now(known);
    if (status === 'SUCCESS') return { code: 40903 };
    if (status === 'PROCESSING' && this.options.closeWhileProcessing === 'busy') return { code: 50001 };
    if (fault?.kind === 'lost-effect') return { code: 0, result: { outTradeNo, status: 'CLOSED' } };
    const trade = known ?? this.addTrade(outTradeNo, '', 0, 'closed before any pay');
    if (status !== 'CLOSED')
      this.books.write<TradeStatus>(trade.history, 'CLOSED', this.books.accounts.get(trade.userId), 0);
    return { code: 0, result: tradeView(trade, last(trade)) };
  }

  private unpay(body: Fields, fault: Fault | undefined): Outcome {
    const [outRefundNo, outTradeNo, amount] = [
      textOf(body, 'outRefundNo'),
      textOf(body, 'outTradeNo'),
      Number(body.amount),
    ];
    const known = this.books.refunds.get(outRefundNo);
    if (known && known.content !== canonical(body)) {
      this.told.add('energy.unpay', 'other-body', `${outRefundNo}: ${known.content} then ${canonical(body)}`);
      return { code: 40901 };
    }
    if (known && now(known) !== 'FAILED') return { code: 0, result: refundView(known, last(known), 'N') };
    const refused = this.refuseRefund(outTradeNo, textOf(body, 'userId'), amount);
    if (refused) return refused;
    return this.giveBack(known, body, fault);
  }

  private giveBack(known: Refund | undefined, body: Fields, fault: Fault | undefined): Outcome {
    const [outRefundNo, outTradeNo, userId, amount] = [
      textOf(body, 'outRefundNo'),
      textOf(body, 'outTradeNo'),
      textOf(body, 'userId'),
      Number(body.amount),
    ];
    const account = this.account(userId);
    const refund: Refund = known ?? {
      refundNo: this.books.number('B'),
      outRefundNo,
      outTradeNo,
      userId,
      amount,
      content: canonical(body),
      history: [],
      lagMs: 0,
    };
    if (fault?.kind === 'lost-effect') return { code: 0, result: lostRefund(refund, account?.balance ?? 0) };
    this.books.refunds.set(outRefundNo, refund);
    this.start(refund, fault, (status) =>
      this.books.write<RefundStatus>(refund.history, status, account, status === 'SUCCESS' ? amount : 0),
    );
    return { code: 0, result: refundView(refund, last(refund), now(refund) === 'SUCCESS' ? 'Y' : 'N') };
  }

  /** Only what was paid, by its payer, and not more than is left of it, is given back. */
  private refuseRefund(outTradeNo: string, userId: string, amount: number): Outcome | undefined {
    const trade = this.books.trades.get(outTradeNo);
    if (trade && now(trade) === 'CLOSED') return { code: 40904 };
    if (!trade || now(trade) !== 'SUCCESS') return { code: 40401 };
    if (trade.userId !== userId)
      return this.complain(
        'energy.unpay',
        'foreign-refund',
        `${outTradeNo} of ${trade.userId}, to ${userId}`,
        40001,
      );
    const left = trade.amount - this.books.givenBack(outTradeNo, true);
    if (left <= 0) return this.complain('energy.unpay', 'second-refund', outTradeNo, 40902);
    if (amount > left)
      return this.complain(
        'energy.unpay',
        'refund-over-payment',
        `${outTradeNo}: ${amount} of ${left} left`,
        40001,
      );
    return undefined;
  }

  private complain(call: Call, rule: string, detail: string, code: number): Outcome {
    this.told.add(call, rule, detail);
    return { code };
  }

  private queryRefund(outRefundNo: string, fault: Fault | undefined): Outcome {
    const refund = this.books.refunds.get(outRefundNo);
    const moment = refund && this.seen(refund, fault);
    return refund && moment
      ? { code: 0, result: refundView(refund, moment, moment.status === 'SUCCESS' ? 'Y' : 'N') }
      : { code: 40402 };
  }

  private consume(body: Fields, fault: Fault | undefined): Outcome {
    const [recordNo, userId, amount, content] = [
      textOf(body, 'recordNo'),
      textOf(body, 'userId'),
      Number(body.amount),
      canonical(body),
    ];
    const known = this.books.consumptions.get(recordNo);
    if (known && known.content !== content)
      return this.complain('energy.consume', 'other-body', recordNo, 40901);
    if (!this.account(userId)) return { code: 40403 };
    if (!known && fault?.kind !== 'lost-effect')
      this.books.consumptions.set(recordNo, { recordNo, userId, amount, content, at: this.clock.now() });
    return { code: 0, result: { recordNo, status: 'ACCEPTED', duplicate: known !== undefined } };
  }
}

export function energyCallOf({ method, path }: VendorRequest): Call | undefined {
  const route = `${method} ${path.replace(/\?.*$/, '')}`;
  if (/^GET \/v1\/accounts\/[^/]+$/.test(route)) return 'energy.account';
  if (route === 'POST /v1/pay') return 'energy.pay';
  if (/^GET \/v1\/pay\/[^/]+$/.test(route)) return 'energy.queryPay';
  if (/^POST \/v1\/pay\/[^/]+\/close$/.test(route)) return 'energy.close';
  if (route === 'POST /v1/unpay') return 'energy.unpay';
  if (/^GET \/v1\/unpay\/[^/]+$/.test(route)) return 'energy.queryRefund';
  return route === 'POST /v1/consumptions' ? 'energy.consume' : undefined;
}

const segment = (request: VendorRequest, index: number): string =>
  decodeURIComponent(request.path.replace(/\?.*$/, '').split('/')[index] ?? '');

/** A record has its first line before anybody sees it. */
function last<S>(record: { readonly history: readonly Moment<S>[] }): Moment<S> {
  const moment = record.history.at(-1);
  if (!moment) throw new Error('a record without a state');
  return moment;
}

function limited(fault: Extract<Fault, { kind: 'rate-limit' }>): Outcome {
  return {
    code: 42901,
    status: fault.form === 'http' ? 429 : 200,
    headers: { 'retry-after': String(fault.retryAfterS) },
  };
}

function tradeView(trade: Trade, { status, balanceBefore, balanceAfter }: Moment<TradeStatus>) {
  return {
    tradeNo: trade.tradeNo,
    outTradeNo: trade.outTradeNo,
    status,
    amount: trade.amount,
    balanceBefore,
    balanceAfter,
  };
}

function refundView(
  refund: Refund,
  { status, balanceBefore, balanceAfter }: Moment<RefundStatus>,
  fundChange: 'Y' | 'N',
) {
  const { refundNo, outRefundNo, outTradeNo, amount } = refund;
  return { refundNo, outRefundNo, outTradeNo, status, amount, fundChange, balanceBefore, balanceAfter };
}

function lostTrade(tradeNo: string, outTradeNo: string, amount: number, balance: number) {
  return {
    tradeNo,
    outTradeNo,
    status: 'SUCCESS',
    amount,
    balanceBefore: balance,
    balanceAfter: balance - amount,
    duplicate: false,
  };
}

function lostRefund(refund: Refund, balance: number) {
  const moment: Moment<RefundStatus> = {
    at: 0,
    status: 'SUCCESS',
    balanceBefore: balance,
    balanceAfter: balance + refund.amount,
  };
  return refundView(refund, moment, 'Y');
}
