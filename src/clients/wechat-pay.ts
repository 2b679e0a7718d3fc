import { randomBytes } from 'node:crypto';
import { toRfc3339 } from '../base/clock.js';
import { type Hide, hider } from '../base/hide.js';
import { cutCharacters } from '../base/text.js';
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
import { sendSigned, unsafePath, VendorClock } from './send-signed.js';
import {
  type Answer,
  type CallContext,
  type Carrier,
  parseJson,
  type Request,
  recordOf,
  Transport,
} from './transport.js';
import {
  judgeClose,
  judgeRefusal,
  readCreated,
  readRefund,
  readTrade,
  type WeChatPayCodes,
  weChatPayCodes,
} from './wechat-pay-answers.js';
import { readWeChatPayNotification } from './wechat-pay-notification.js';
import { authorizationOf, flawOfProof, type WeChatPayKeys } from './wechat-pay-proof.js';

export interface WeChatPayOptions {
  readonly baseUrl: string;
  readonly mchId: string;
  readonly appId: string;
  readonly serialNo: string;
  /** PEM texts. */
  readonly privateKey: string;
  readonly publicKeys: Readonly<Record<string, string>>;
  readonly apiV3Key: string;
  readonly timeoutMs: number;
  readonly skewMs: number;
  readonly hide?: Hide;
  readonly codes?: Partial<WeChatPayCodes>;
}

type Read<T> = (status: number, body: unknown) => Outcome<T> | null;
const DESCRIPTION_MAX = 127;
const REASON_MAX = 80;

/** WeChat Pay v3, Native. What is not signed by the payer proves nothing: it is *unknown*, whatever it says. */
export class WeChatPayClient implements Payer {
  readonly type = 'wechat';
  readonly unpaidOnlyAfterExpiry = false;
  readonly #keys: WeChatPayKeys & { readonly appId: string };
  readonly #codes: WeChatPayCodes;
  readonly #hide: Hide;
  readonly #transport: Carrier;
  readonly #clock = new VendorClock();

  /** Throws where a key is no key. */
  constructor(options: WeChatPayOptions, carrier: Carrier = new Transport(options)) {
    const { mchId, appId, serialNo, apiV3Key, skewMs } = options;
    if (Buffer.byteLength(apiV3Key) !== 32) throw new Error('the API v3 key has 32 bytes');
    this.#keys = {
      ...{ mchId, appId, serialNo, apiV3Key, skewMs },
      privateKey: rsaPrivateKey(options.privateKey),
      publicKeys: new Map(
        Object.entries(options.publicKeys).map(([serial, pem]) => [serial, rsaPublicKey(pem)]),
      ),
    };
    this.#codes = { ...weChatPayCodes, ...options.codes };
    this.#hide = options.hide ?? hider([options.privateKey, apiV3Key]);
    this.#transport = carrier;
  }

  async create(wanted: PaymentWanted, context: CallContext): Promise<Outcome<{ payUrl: string }>> {
    const body = {
      appid: this.#keys.appId,
      mchid: this.#keys.mchId,
      description: cutCharacters(wanted.description, DESCRIPTION_MAX),
      out_trade_no: wanted.paymentNo,
      time_expire: toRfc3339(wanted.expiresAt).replace(/\.\d{3}/, ''),
      notify_url: wanted.notifyUrl,
      amount: { total: wanted.amountInCent, currency: 'CNY' },
    };
    const request = post('/v3/pay/transactions/native', body);
    const outcome = await this.#call('wechatpay.create', request, context, (_, answer) =>
      readCreated(answer),
    );
    return unknownWherePaid(outcome, this.#codes.paid);
  }

  async query(paymentNo: string, context: CallContext): Promise<Outcome<PaymentState>> {
    const path = `/v3/pay/transactions/out-trade-no/${encodeURIComponent(paymentNo)}?mchid=${encodeURIComponent(this.#keys.mchId)}`;
    const outcome = await this.#call('wechatpay.query', get(path), context, (_, body) =>
      readTrade(body, this.#keys, paymentNo),
    );
    return noneWhereRefused(outcome, this.#codes.none, { kind: 'NONE' });
  }

  async close(paymentNo: string, context: CallContext): Promise<Outcome<CloseResult>> {
    const path = `/v3/pay/transactions/out-trade-no/${encodeURIComponent(paymentNo)}/close`;
    const request = post(path, { mchid: this.#keys.mchId });
    const outcome = await this.#call<CloseResult>('wechatpay.close', request, context, (status) => {
      if (status === 204) return applied('CLOSED');
      return status === 202 ? applied('NOT_YET') : null; // the diner is typing a password
    });
    return outcome.kind === 'rejected' ? judgeClose(outcome, this.#codes) : outcome;
  }

  async refund(wanted: RefundWanted, context: CallContext): Promise<Outcome<RefundState>> {
    const body = {
      out_trade_no: wanted.paymentNo,
      out_refund_no: wanted.refundNo,
      reason: cutCharacters(wanted.reason, REASON_MAX),
      amount: { refund: wanted.amountInCent, total: wanted.totalInCent, currency: 'CNY' },
    };
    const request = post('/v3/refund/domestic/refunds', body);
    return this.#call('wechatpay.refund', request, context, (_, answer) =>
      readRefund(answer, wanted.refundNo, wanted.amountInCent),
    );
  }

  async queryRefund(
    { refundNo }: Pick<RefundWanted, 'paymentNo' | 'refundNo'>,
    context: CallContext,
  ): Promise<Outcome<RefundState>> {
    const path = `/v3/refund/domestic/refunds/${encodeURIComponent(refundNo)}`;
    const outcome = await this.#call('wechatpay.queryRefund', get(path), context, (_, answer) =>
      readRefund(answer, refundNo),
    );
    return noneWhereRefused(outcome, this.#codes.none, 'NONE');
  }

  readNotification(
    headers: Readonly<Record<string, string | undefined>>,
    body: Buffer,
    now: Date,
  ): NotificationReading {
    return readWeChatPayNotification(this.#keys, headers, body, now.getTime());
  }

  end(): void {
    this.#transport.close();
  }

  async #call<T>(name: string, request: Request, context: CallContext, read: Read<T>): Promise<Outcome<T>> {
    const unsafe = unsafePath(request.path);
    if (unsafe) return unsafe;
    const startedMs = performance.now();
    const at = new Date();
    const sign = () => this.#signed(request);
    const { signed, answer } = await sendSigned(this.#transport, this.#clock, sign, context);
    const hide = hideOfPayer(this.#hide, signed, context, signed.signature);
    const outcome = screen(this.#judge(answer, read), hide);
    context.journal?.(recordOf(name, request, answer, outcome, startedMs, at, hide));
    return outcome;
  }

  #signed(request: Request): Request & { readonly signature: string } {
    const query = request.path.split('?')[1];
    const asked = {
      method: request.method,
      path: `${this.#transport.pathOf(request.path)}${query === undefined ? '' : `?${query}`}`,
      body: request.body ?? '',
      nowMs: this.#clock.now(),
      nonce: randomBytes(16).toString('hex'),
    };
    const { header, signature } = authorizationOf(this.#keys, asked);
    return { ...request, headers: { ...request.headers, Authorization: header }, signature };
  }

  #judge<T>(answer: Answer, read: Read<T>): Outcome<T> {
    const byTransport = classifyTransport(answer);
    if (answer.kind !== 'answer') return byTransport ?? unknown('NO_ANSWER', 'no answer came back');
    // Said at the door, before the payer knows who asks: nothing was done, and nothing rests on it.
    if (byTransport && (answer.status === 401 || answer.status === 429)) return byTransport;
    // What is verified is what is parsed. Bytes that are no UTF-8 decode to another text, which does not verify.
    const flaw = flawOfProof(this.#keys, answer.headers, Buffer.from(answer.text), this.#clock.now());
    if (flaw && answer.status < 500) return unknown('UNVERIFIED', flaw.message);
    if (!byTransport)
      return read(answer.status, parseJson(answer.text)) ?? unknown('MALFORMED', 'the answer lacks a field');
    return byTransport.kind === 'rejected' ? judgeRefusal(answer, this.#codes) : byTransport;
  }
}

const get = (path: string): Request => ({
  method: 'GET',
  path,
  headers: { Accept: 'application/json' },
  body: null,
  isRead: true,
});
const post = (path: string, body: object): Request => ({
  method: 'POST',
  path,
  headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
  isRead: false,
});
