import { createHmac, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Hide, hider } from '../base/hide.js';
import { classifyTransport } from './classify.js';
import { applied, notApplied, type Outcome, PROCESSING, rejected, unknown } from './outcome.js';
import { hideOf, screen } from './screen.js';
import {
  type Answer,
  type CallContext,
  type Carrier,
  clockOffsetMs,
  parseJson,
  type Request,
  recordOf,
  retryAfterMs,
  Transport,
} from './transport.js';

/**
 * Every code by name, with the number that we call it by. No public manual states the numbers on the wire: where an installation's differ,
 * `EnergyOptions.codes` says so, and the client translates; nobody else ever sees them.
 */
export const energyCodes = {
  ok: 0,
  insufficientBalance: 40201,
  cardNotUsable: 40301,
  tradeNotFound: 40401,
  refundNotFound: 40402,
  accountNotFound: 40403,
  otherBody: 40901,
  refundedUnderAnotherNumber: 40902,
  alreadyPaid: 40903,
  closed: 40904,
  rateLimited: 42901,
  systemError: 50001,
  cancelPayError: 50002,
  badParameter: 40001,
  badSignature: 40101,
} as const;

export type EnergyCodeName = keyof typeof energyCodes;
const codes = energyCodes;
const REFUSALS: readonly number[] = [
  codes.insufficientBalance,
  codes.cardNotUsable,
  codes.tradeNotFound,
  codes.refundNotFound,
  codes.accountNotFound,
  codes.otherBody,
  codes.refundedUnderAnotherNumber,
  codes.alreadyPaid,
  codes.closed,
  codes.badParameter,
  codes.badSignature,
];

/** Codes that make no sense as the answer to this call: whatever they mean, they do not prove that it was not carried out. */
const NO_REFUSAL = {
  pay: [codes.tradeNotFound, codes.refundNotFound, codes.refundedUnderAnotherNumber, codes.alreadyPaid],
  closePay: [codes.tradeNotFound, codes.refundNotFound, codes.refundedUnderAnotherNumber],
  unPay: [codes.refundNotFound, codes.alreadyPaid],
} as const;

export interface EnergyOptions {
  /** Includes any prefix. */
  readonly baseUrl: string;
  readonly appId: string;
  readonly appSecret: string;
  readonly timeoutMs: number;
  /** Hides every secret of the settings, whichever vendor's. */
  readonly hide?: Hide;
  /** Numbers on the wire that differ from the table. */
  readonly codes?: Partial<Record<EnergyCodeName, number>>;
}

export interface Pay {
  readonly outTradeNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly subject: string;
  readonly orderNo: string;
  readonly expireAt: Date;
}

export interface Refund {
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly reason: string;
}

export interface Consumption {
  readonly recordNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly canteen: string;
  readonly consumedAt: Date;
}

export interface Account {
  readonly userId: string;
  readonly cardStatus: string;
  readonly balanceInCent: number;
}

export type TradeState = 'SUCCESS' | 'PROCESSING' | 'FAILED' | 'CLOSED' | 'NONE';

const envelope = z.object({
  code: z.number().int(),
  message: z.string().nullish(),
  result: z.unknown().optional(),
});
const filled = z.string().refine((value) => value.trim() !== '');
const tradeStatus = z.enum(['SUCCESS', 'PROCESSING', 'FAILED', 'CLOSED']);
const trade = z.object({
  tradeNo: filled,
  outTradeNo: z.string(),
  status: tradeStatus,
  amount: z.number(),
  duplicate: z.boolean().nullish(),
  refundedAmount: z.number().nullish(),
});
const closedTrade = z.object({ status: tradeStatus, duplicate: z.boolean().nullish() });
const refund = z.object({
  refundNo: filled,
  outRefundNo: z.string(),
  status: z.enum(['SUCCESS', 'PROCESSING', 'FAILED']),
  amount: z.number(),
  fundChange: z.string().nullish(),
});
const account = z.object({ userId: z.string(), cardStatus: z.string(), balance: z.number() });
const consumption = z.object({ recordNo: z.string(), status: z.string(), duplicate: z.boolean().nullish() });

/** The energy center: all numbers are ours and deterministic, so a repeat with the same number and body has the same result. */
export class EnergyClient {
  readonly #transport: Carrier;
  /** From the number on the wire to ours. */
  readonly #ours: ReadonlyMap<number, number>;
  readonly #hide: Hide;
  #clockOffsetMs = 0;

  constructor(
    private readonly options: EnergyOptions,
    carrier: Carrier = new Transport(options),
  ) {
    this.#transport = carrier;
    this.#hide = options.hide ?? hider([options.appSecret]);
    const names = Object.keys(energyCodes) as EnergyCodeName[];
    this.#ours = new Map(
      names.map((name) => [options.codes?.[name] ?? energyCodes[name], energyCodes[name]]),
    );
  }

  async findCardAccountInfo(userId: string, context: CallContext): Promise<Outcome<Account>> {
    return this.#call(
      'energy.findCardAccountInfo',
      'GET',
      `/v1/accounts/${encodeURIComponent(userId)}`,
      null,
      context,
      (result) => {
        const parsed = account.safeParse(result);
        return parsed.success
          ? applied({
              userId: parsed.data.userId,
              cardStatus: parsed.data.cardStatus,
              balanceInCent: parsed.data.balance,
            })
          : null;
      },
    );
  }

  /** Unknown with code PROCESSING: the vendor works on it; only a query that answers SUCCESS is success. */
  async pay(pay: Pay, context: CallContext): Promise<Outcome<null>> {
    const body = {
      outTradeNo: pay.outTradeNo,
      userId: pay.userId,
      amount: pay.amountInCent,
      subject: pay.subject,
      orderNo: pay.orderNo,
      expireAt: pay.expireAt.toISOString(),
    };
    const outcome = await this.#call('energy.pay', 'POST', '/v1/pay', body, context, (result) => {
      const parsed = trade.safeParse(result);
      return parsed.success && parsed.data.outTradeNo === pay.outTradeNo
        ? judgeState(parsed.data.status, parsed.data.duplicate === true)
        : null;
    });
    return unknownWhen(outcome, NO_REFUSAL.pay);
  }

  /** What the vendor holds under this number; NONE when it never heard of it (which may change while a pay is on its way). */
  async queryPay(
    outTradeNo: string,
    context: CallContext,
  ): Promise<Outcome<{ state: TradeState; amountInCent: number; refundedInCent: number }>> {
    const outcome = await this.#call<{ state: TradeState; amountInCent: number; refundedInCent: number }>(
      'energy.queryPay',
      'GET',
      `/v1/pay/${encodeURIComponent(outTradeNo)}`,
      null,
      context,
      (result) => {
        const parsed = trade.safeParse(result);
        return parsed.success && parsed.data.outTradeNo === outTradeNo
          ? applied({
              state: parsed.data.status,
              amountInCent: parsed.data.amount,
              refundedInCent: parsed.data.refundedAmount ?? 0,
            })
          : null;
      },
    );
    return noneWhen(outcome, codes.tradeNotFound, { state: 'NONE', amountInCent: 0, refundedInCent: 0 });
  }

  /** Applied: no money was or will be taken under this number (CLOSED, or a payment that ended FAILED). Rejected 40903: it had been paid. */
  async closePay(outTradeNo: string, context: CallContext): Promise<Outcome<null>> {
    const path = `/v1/pay/${encodeURIComponent(outTradeNo)}/close`;
    const outcome = await this.#call<null>('energy.closePay', 'POST', path, {}, context, (result) => {
      const parsed = closedTrade.safeParse(result);
      return parsed.success ? judgeClose(parsed.data.status, parsed.data.duplicate === true) : null;
    });
    if (outcome.kind === 'rejected' && outcome.code === String(codes.closed)) return applied(null, true);
    return unknownWhen(outcome, NO_REFUSAL.closePay);
  }

  async unPay(wanted: Refund, context: CallContext): Promise<Outcome<null>> {
    const body = {
      outRefundNo: wanted.outRefundNo,
      outTradeNo: wanted.outTradeNo,
      userId: wanted.userId,
      amount: wanted.amountInCent,
      reason: wanted.reason,
    };
    const outcome = await this.#call('energy.unPay', 'POST', '/v1/unpay', body, context, (result) => {
      const parsed = refund.safeParse(result);
      return parsed.success && parsed.data.outRefundNo === wanted.outRefundNo
        ? judgeState(parsed.data.status, parsed.data.fundChange === 'N')
        : null;
    });
    return unknownWhen(outcome, NO_REFUSAL.unPay);
  }

  async queryRefund(outRefundNo: string, context: CallContext): Promise<Outcome<{ state: TradeState }>> {
    const outcome = await this.#call<{ state: TradeState }>(
      'energy.queryRefund',
      'GET',
      `/v1/unpay/${encodeURIComponent(outRefundNo)}`,
      null,
      context,
      (result) => {
        const parsed = refund.safeParse(result);
        return parsed.success && parsed.data.outRefundNo === outRefundNo
          ? applied({ state: parsed.data.status })
          : null;
      },
    );
    return noneWhen(outcome, codes.refundNotFound, { state: 'NONE' });
  }

  async syncConsumption(wanted: Consumption, context: CallContext): Promise<Outcome<null>> {
    const body = {
      recordNo: wanted.recordNo,
      userId: wanted.userId,
      amount: wanted.amountInCent,
      canteen: wanted.canteen,
      consumedAt: wanted.consumedAt.toISOString(),
    };
    return this.#call('energy.syncConsumption', 'POST', '/v1/consumptions', body, context, (result) => {
      const parsed = consumption.safeParse(result);
      return parsed.success && parsed.data.recordNo === wanted.recordNo && parsed.data.status === 'ACCEPTED'
        ? applied(null, parsed.data.duplicate === true)
        : null;
    });
  }

  close(): void {
    this.#transport.close();
  }

  async #call<T>(
    call: string,
    method: 'GET' | 'POST',
    path: string,
    body: object | null,
    context: CallContext,
    read: (result: unknown) => Outcome<T> | null,
  ): Promise<Outcome<T>> {
    // A URL drops `.` and `..`, however they are written: the call would reach another resource.
    if (path.split('/').some((segment) => segment === '.' || segment === '..'))
      return rejected('UNSAFE_PATH', 'this number cannot be part of a path');
    const startedMs = performance.now();
    const at = new Date();
    const request: Request = {
      method,
      path,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : null,
      isRead: method === 'GET',
    };
    let signed = this.#signed(request);
    let answer = await this.#transport.send(signed, context);
    if (answer.kind === 'answer' && answer.status === 401) {
      // Not executed. Our clock may be off: sign again once, by the vendor's clock.
      this.#clockOffsetMs = clockOffsetMs(answer.headers);
      signed = this.#signed(request);
      answer = await this.#transport.send(signed, context);
    }
    const hide = hideOf(this.#hide, signed, context);
    const outcome = screen(classifyTransport(answer) ?? judge(answer, this.#ours, read), hide);
    context.journal?.(recordOf(call, request, answer, outcome, startedMs, at, hide));
    return outcome;
  }

  #signed(request: Request): Request {
    const timestamp = String(Date.now() + this.#clockOffsetMs);
    const nonce = randomUUID();
    const signature = energySignature(this.options.appSecret, {
      method: request.method,
      path: this.#transport.pathOf(request.path),
      timestamp,
      nonce,
      body: request.body ?? '',
    });
    return {
      ...request,
      headers: {
        ...request.headers,
        'X-App-Id': this.options.appId,
        'X-Timestamp': timestamp,
        'X-Nonce': nonce,
        'X-Signature': signature,
      },
    };
  }
}

function judge<T>(
  answer: Answer,
  ours: ReadonlyMap<number, number>,
  read: (result: unknown) => Outcome<T> | null,
): Outcome<T> {
  if (answer.kind !== 'answer') return unknown('NO_ANSWER', 'no answer came back');
  const parsed = envelope.safeParse(parseJson(answer.text));
  if (!parsed.success)
    return unknown('MALFORMED', 'the answer is not the envelope that the energy center promises');
  const { message, result } = parsed.data;
  const code = ours.get(parsed.data.code);
  if (code === undefined) return unknown(`CODE_${parsed.data.code}`, message ?? 'a code that we do not know');
  if (code === codes.ok) return read(result) ?? unknown('MALFORMED', 'the answer lacks a required field');
  if (code === codes.rateLimited)
    return notApplied(
      String(code),
      'the energy center limits our rate',
      retryAfterMs(answer.headers) ?? 5_000,
    );
  if (REFUSALS.includes(code)) return rejected(String(code), message ?? 'refused');
  return unknown(String(code), message ?? 'a code after which the outcome is not known');
}

function judgeState(
  state: 'SUCCESS' | 'PROCESSING' | 'FAILED' | 'CLOSED',
  duplicate: boolean,
): Outcome<null> {
  if (state === 'SUCCESS') return applied(null, duplicate);
  if (state === 'PROCESSING') return unknown(PROCESSING, 'the energy center is still working on it');
  return rejected(state, `the energy center answered ${state}`);
}

/** What a close found. SUCCESS: the money had been taken. PROCESSING: the payment has not ended, and is not closed. */
function judgeClose(state: z.infer<typeof tradeStatus>, duplicate: boolean): Outcome<null> {
  if (state === 'CLOSED' || state === 'FAILED') return applied(null, duplicate);
  if (state === 'SUCCESS') return rejected(String(codes.alreadyPaid), 'the payment had been made');
  return unknown(PROCESSING, 'the energy center is still working on the payment');
}

function unknownWhen<T>(outcome: Outcome<T>, meaningless: readonly number[]): Outcome<T> {
  return outcome.kind === 'rejected' && meaningless.map(String).includes(outcome.code)
    ? unknown(outcome.code, outcome.message)
    : outcome;
}

function noneWhen<T>(outcome: Outcome<T>, code: number, none: T): Outcome<T> {
  return outcome.kind === 'rejected' && outcome.code === String(code) ? applied(none) : outcome;
}

/** hex(HMAC-SHA256(secret, METHOD\nPATH?QUERY\nTIMESTAMP\nNONCE\nBODY\n)); PATH as the server sees it. */
export function energySignature(
  secret: string,
  signed: { method: string; path: string; timestamp: string; nonce: string; body: string },
): string {
  return createHmac('sha256', secret)
    .update(`${signed.method}\n${signed.path}\n${signed.timestamp}\n${signed.nonce}\n${signed.body}\n`)
    .digest('hex');
}
