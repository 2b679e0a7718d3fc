import { createHash } from 'node:crypto';
import { type Hide, hider } from '../base/hide.js';
import type { MealType } from '../entities/menu.js';
import { classifyTransport } from './classify.js';
import { type AddedOrder, type ListedOrder, readAdded, readDayList, readEnvelope } from './meican-answers.js';
import { applied, notApplied, type Outcome, rejected, unknown } from './outcome.js';
import { hideOf, screen } from './screen.js';
import { sendSigned, VendorClock } from './send-signed.js';
import {
  type Answer,
  type CallContext,
  type Carrier,
  type Request,
  recordOf,
  retryAfterMs,
  Transport,
} from './transport.js';

/** Code literals and paths that no public manual states: configuration, in one table. */
export interface MeicanLiterals {
  readonly multiOrder: string;
  readonly tooFast: string;
  readonly refusals: readonly string[];
  readonly addOrderPath: string;
  readonly deleteOrderPath: string;
  readonly dayListPath: string;
}

const meicanLiterals: MeicanLiterals = {
  multiOrder: 'MULTI_ORDER',
  tooFast: 'TOO_FAST',
  refusals: ['ORDER_CLOSED', 'DISH_NOT_AVAILABLE', 'PRICE_CHANGED', 'NOT_FOUND'],
  addOrderPath: '/v1/corps/{corp}/addorder',
  deleteOrderPath: '/v1/corps/{corp}/deleteorder',
  dayListPath: '/v1/corps/{corp}/listgrouporderandbill',
};

export interface MeicanOptions {
  readonly baseUrl: string;
  readonly corpToken: string;
  readonly timeoutMs: number;
  /** Hides every secret of the settings, whichever vendor's. */
  readonly hide?: Hide;
  readonly literals?: Partial<MeicanLiterals>;
}

export interface AddOrder {
  readonly corp: string;
  readonly email: string;
  readonly realName: string;
  readonly addressId: string;
  readonly mealDate: string;
  readonly mealType: MealType;
  readonly meicanDishId: string;
  readonly priceInCent: number;
}

/** `multi`: Meican says that this diner has an order for the meal already; its id may be anybody's, or absent. */
/** Meican's corporate API. Meican takes no order number of ours: `addOrder` is the one call that is never repeated blindly. */
export class MeicanClient {
  readonly #transport: Carrier;
  readonly #literals: MeicanLiterals;
  readonly #hide: Hide;
  readonly #clock = new VendorClock();

  constructor(
    private readonly options: MeicanOptions,
    carrier: Carrier = new Transport(options),
  ) {
    this.#transport = carrier;
    this.#literals = { ...meicanLiterals, ...options.literals };
    this.#hide = options.hide ?? hider([options.corpToken]);
  }

  async addOrder(order: AddOrder, context: CallContext): Promise<Outcome<AddedOrder>> {
    const { multiOrder } = this.#literals;
    const dish = {
      dishId: /^\d{1,15}$/.test(order.meicanDishId) ? Number(order.meicanDishId) : order.meicanDishId,
      count: 1,
      priceInCent: order.priceInCent,
    };
    const form = {
      email: order.email,
      realName: order.realName,
      addressId: order.addressId,
      mealDate: order.mealDate,
      mealType: order.mealType,
      dishes: JSON.stringify([dish]),
    };
    return this.#call(
      'meican.addOrder',
      this.#post(this.#literals.addOrderPath, order.corp, form),
      context,
      (code, data) => readAdded(code, data, multiOrder),
    );
  }

  /** An order that Meican no longer has (NOT_FOUND) is as good as cancelled: `duplicate`. Only for ids that we know to have existed. */
  async cancelOrder(corp: string, orderId: string, context: CallContext): Promise<Outcome<null>> {
    return this.#call(
      'meican.cancelOrder',
      this.#post(this.#literals.deleteOrderPath, corp, { orderId }),
      context,
      (code) => {
        if (code === 'OK') return applied(null);
        return code === 'NOT_FOUND' ? applied(null, true) : null;
      },
    );
  }

  /** All orders of the corp on a day `yyyy-MM-dd`. May lag by seconds: absence proves nothing before the settle window is over. */
  async listOrders(corp: string, day: string, context: CallContext): Promise<Outcome<ListedOrder[]>> {
    const request: Request = {
      method: 'GET',
      path: `${this.#path(this.#literals.dayListPath, corp)}?target=${encodeURIComponent(day)}`,
      headers: {},
      body: null,
      isRead: true,
    };
    return this.#call('meican.listOrders', request, context, readDayList);
  }

  close(): void {
    this.#transport.close();
  }

  async #call<T>(
    call: string,
    request: Request,
    context: CallContext,
    read: (code: string, data: unknown) => Outcome<T> | null,
  ): Promise<Outcome<T>> {
    const startedMs = performance.now();
    const at = new Date();
    const sign = (): Request => this.#signed(request);
    const { signed, answer } = await sendSigned(this.#transport, this.#clock, sign, context);
    const hide = hideOf(this.#hide, signed, context);
    const outcome = screen(classifyTransport(answer) ?? this.#judge(answer, read), hide);
    context.journal?.(recordOf(call, request, answer, outcome, startedMs, at, hide));
    return outcome;
  }

  #judge<T>(answer: Answer, read: (code: string, data: unknown) => Outcome<T> | null): Outcome<T> {
    if (answer.kind !== 'answer') return unknown('NO_ANSWER', 'no answer came back');
    const said = readEnvelope(answer.text);
    if (!said) return unknown('MALFORMED', 'the answer is not the envelope that Meican promises');
    const { resultCode, resultDescription, data } = said;
    const outcome = read(resultCode, data);
    if (outcome) return outcome;
    if (resultCode === this.#literals.tooFast)
      return notApplied(resultCode, 'Meican limits our rate', retryAfterMs(answer.headers) ?? 5_000);
    if (this.#literals.refusals.includes(resultCode))
      return rejected(resultCode, resultDescription ?? resultCode);
    return unknown(resultCode, 'a result code that we do not know');
  }

  #post(path: string, corp: string, form: Record<string, string>): Request {
    return {
      method: 'POST',
      path: this.#path(path, corp),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
      isRead: false,
    };
  }

  #path(template: string, corp: string): string {
    return template.replace('{corp}', encodeURIComponent(corp));
  }

  #signed(request: Request): Request {
    const timestamp = String(this.#clock.now());
    const separator = request.path.includes('?') ? '&' : '?';
    return {
      ...request,
      path: `${request.path}${separator}timestamp=${timestamp}&signature=${meicanSignature(this.options.corpToken, timestamp)}`,
    };
  }
}

/** sha1_hex(corpToken + timestamp), as Meican documents it. */
export function meicanSignature(corpToken: string, timestamp: string): string {
  return createHash('sha1')
    .update(corpToken + timestamp)
    .digest('hex');
}
