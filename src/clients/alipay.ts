import type { KeyObject } from 'node:crypto';
import { type Hide, hider } from '../base/hide.js';
import { cutCharacters } from '../base/text.js';
import {
  type AlipayCodes,
  alipayCodes,
  judgeAnswer,
  readClosed,
  readCreated,
  readFoundRefund,
  readRefunded,
  readTrade,
  WAITING,
} from './alipay-answers.js';
import { readAlipayNotification } from './alipay-notification.js';
import { chinaTime, provenMember, signForm, yuanOf } from './alipay-proof.js';
import { classifyTransport } from './classify.js';
import { applied, type Outcome, unknown } from './outcome.js';
import type {
  CloseResult,
  NotificationReading,
  Payer,
  PaymentState,
  PaymentWanted,
  RefundState,
  RefundWanted,
} from './payer.js';
import { noneWhereRefused, unknownWherePaid } from './payer-codes.js';
import { hideOfPayer } from './payer-hide.js';
import { rsaPrivateKey, rsaPublicKey } from './payer-keys.js';
import { screen } from './screen.js';
import {
  type Answer,
  type CallContext,
  type Carrier,
  parseJson,
  type Request,
  recordOf,
  Transport,
} from './transport.js';

export interface AlipayOptions {
  readonly baseUrl: string;
  readonly appId: string;
  readonly sellerId: string;
  /** PEM texts: ours, and Alipay's. */
  readonly privateKey: string;
  readonly publicKey: string;
  readonly timeoutMs: number;
  readonly hide?: Hide;
  readonly codes?: Partial<AlipayCodes>;
}

const SUBJECT_MAX = 256;
const REASON_MAX = 256;

type Read<T> = (content: unknown) => Outcome<T> | null;

interface Ask {
  readonly name: string;
  readonly method: string;
  readonly content: object;
  readonly notifyUrl?: string;
  /** Changes nothing: repeated by itself after a network error. */
  readonly isRead: boolean;
}

/** Alipay, precreate. What is not signed by Alipay proves nothing: it is *unknown*, whatever it says. */
export class AlipayClient implements Payer {
  readonly type = 'alipay';
  readonly unpaidOnlyAfterExpiry = true;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #codes: AlipayCodes;
  readonly #hide: Hide;
  readonly #transport: Carrier;

  /** Throws where a key is no key. */
  constructor(
    private readonly options: AlipayOptions,
    carrier: Carrier = new Transport(options),
  ) {
    this.#privateKey = rsaPrivateKey(options.privateKey);
    this.#publicKey = rsaPublicKey(options.publicKey);
    this.#codes = { ...alipayCodes, ...options.codes };
    this.#hide = options.hide ?? hider([options.privateKey]);
    this.#transport = carrier;
  }

  async create(wanted: PaymentWanted, context: CallContext): Promise<Outcome<{ payUrl: string }>> {
    const content = {
      out_trade_no: wanted.paymentNo,
      total_amount: yuanOf(wanted.amountInCent),
      subject: cutCharacters(wanted.description, SUBJECT_MAX),
      time_expire: chinaTime(wanted.expiresAt.getTime()),
    };
    const outcome = await this.#call<{ payUrl: string }>(
      {
        name: 'alipay.create',
        method: 'alipay.trade.precreate',
        content,
        notifyUrl: wanted.notifyUrl,
        isRead: false,
      },
      context,
      (said) => readCreated(said, wanted.paymentNo),
    );
    return unknownWherePaid(outcome, this.#codes.paid);
  }

  async query(paymentNo: string, context: CallContext): Promise<Outcome<PaymentState>> {
    const ask: Ask = {
      name: 'alipay.query',
      method: 'alipay.trade.query',
      content: { out_trade_no: paymentNo },
      isRead: true,
    };
    const outcome = await this.#call(ask, context, (said) => readTrade(said, paymentNo));
    if (outcome.kind === 'unknown' && outcome.code === WAITING) return applied({ kind: 'WAITING' });
    return noneWhereRefused(outcome, this.#codes.none, { kind: 'NONE' });
  }

  /** Where Alipay says that the trade has ended, a query tells how: two calls. */
  async close(paymentNo: string, context: CallContext): Promise<Outcome<CloseResult>> {
    const ask: Ask = {
      name: 'alipay.close',
      method: 'alipay.trade.close',
      content: { out_trade_no: paymentNo },
      isRead: false,
    };
    const outcome = await this.#call(ask, context, (said) => readClosed(said, paymentNo));
    if (outcome.kind !== 'rejected' || !this.#codes.ended.includes(outcome.code))
      return noneWhereRefused(outcome, this.#codes.none, 'NONE');
    const found = await this.query(paymentNo, context);
    if (found.kind !== 'applied') return found;
    const { kind } = found.value;
    return applied(kind === 'PAID' || kind === 'CLOSED' ? kind : 'NOT_YET');
  }

  /** Where the answer says that no money moved, a query tells whether an earlier call had moved it: two calls. */
  async refund(wanted: RefundWanted, context: CallContext): Promise<Outcome<RefundState>> {
    const ask: Ask = {
      name: 'alipay.refund',
      method: 'alipay.trade.refund',
      content: {
        out_trade_no: wanted.paymentNo,
        refund_amount: yuanOf(wanted.amountInCent),
        out_request_no: wanted.refundNo,
        refund_reason: cutCharacters(wanted.reason, REASON_MAX),
      },
      isRead: false,
    };
    const outcome = await this.#call(ask, context, (said) => readRefunded(said, wanted.paymentNo));
    if (outcome.kind !== 'applied' || outcome.value === 'SUCCESS') return outcome;
    const found = await this.queryRefund(wanted, context);
    if (found.kind !== 'applied') return found;
    return found.value === 'SUCCESS' ? applied('SUCCESS', true) : applied('PROCESSING');
  }

  async queryRefund(
    { paymentNo, refundNo }: Pick<RefundWanted, 'paymentNo' | 'refundNo'>,
    context: CallContext,
  ): Promise<Outcome<RefundState>> {
    const ask: Ask = {
      name: 'alipay.queryRefund',
      method: 'alipay.trade.fastpay.refund.query',
      content: { out_trade_no: paymentNo, out_request_no: refundNo },
      isRead: true,
    };
    const outcome = await this.#call(ask, context, (said) => readFoundRefund(said, refundNo));
    return noneWhereRefused(outcome, this.#codes.none, 'NONE');
  }

  readNotification(
    _headers: Readonly<Record<string, string | undefined>>,
    body: Buffer,
    _now: Date,
  ): NotificationReading {
    const { appId, sellerId } = this.options;
    return readAlipayNotification({ appId, sellerId, publicKey: this.#publicKey }, body);
  }

  end(): void {
    this.#transport.close();
  }

  async #call<T>(ask: Ask, context: CallContext, read: Read<T>): Promise<Outcome<T>> {
    const startedMs = performance.now();
    const at = new Date();
    const { request, signature } = this.#signed(ask);
    const answer = await this.#transport.send(request, context);
    const hide = hideOfPayer(this.#hide, request, context, signature);
    const outcome = screen(this.#judge(answer, ask.method, read), hide);
    context.journal?.(recordOf(ask.name, request, answer, outcome, startedMs, at, hide));
    return outcome;
  }

  #signed({ method, content, notifyUrl, isRead }: Ask): { request: Request; signature: string } {
    const fields = {
      app_id: this.options.appId,
      method,
      format: 'JSON',
      charset: 'utf-8',
      sign_type: 'RSA2',
      timestamp: chinaTime(Date.now()),
      version: '1.0',
      ...(notifyUrl === undefined ? {} : { notify_url: notifyUrl }),
      biz_content: JSON.stringify(content),
    };
    const signature = signForm(this.#privateKey, fields);
    const request: Request = {
      method: 'POST',
      path: '/gateway.do',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams({ ...fields, sign: signature }).toString(),
      isRead,
    };
    return { request, signature };
  }

  #judge<T>(answer: Answer, method: string, read: Read<T>): Outcome<T> {
    const byTransport = classifyTransport(answer);
    if (byTransport && (answer.kind !== 'answer' || answer.status === 429 || answer.status >= 500))
      return byTransport;
    if (answer.kind !== 'answer') return unknown('NO_ANSWER', 'no answer came back');
    const member = provenMember(this.#publicKey, answer.text, `${method.replaceAll('.', '_')}_response`);
    if (member === null) return unknown('UNVERIFIED', 'nothing proves that the answer is Alipay’s');
    return judgeAnswer(parseJson(member), read);
  }
}
