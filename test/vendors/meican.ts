import { type Call, type Fault, leavesDoubt } from './fault.js';
import {
  keyText,
  MEAL_TYPES,
  type Meal,
  type MealKey,
  type MealType,
  MeicanBooks,
  type OrderedDish,
} from './meican-books.js';
import { type Delivery, misbehave } from './misbehave.js';
import { meicanSignature, sameText } from './sign.js';
import { type Clock, type Random, type Reply, reply, type VendorRequest } from './vendor.js';
import { VendorModel } from './vendor-model.js';

interface Dish {
  readonly name: string;
  readonly restaurant: string;
  readonly priceInCent: number;
  readonly available: boolean;
}

export interface MeicanOptions {
  readonly secrets: { readonly corpToken: string };
  readonly clock: Clock;
  readonly random: Random;
  /** Default MULTI_ORDER. */
  readonly multiOrderCode?: string;
  /** Whether a multi answer names the order that stands there. Default true. */
  readonly multiTellsId?: boolean;
  /** Absent: every dish number is cooked, at any price. */
  readonly dishes?: ReadonlyMap<number, Dish>;
  /** Absent: whoever has an e-mail is a member. */
  readonly members?: ReadonlySet<string>;
  /** Absent: no cut-off. */
  readonly cutoffAt?: (mealDate: string, mealType: MealType) => number | undefined;
  /** The day list shows the books as they were so long ago. Default 0; has to lie within the caller's settle window. */
  readonly listLagMs?: number;
  /** Whether the day list has `mealType`, `addressId`, `dishId`, which the contract leaves open. Default true. */
  readonly optionalFields?: boolean;
  /** The caller's settle window: a list that it asked for earlier than this after an add without an answer proves nothing. Default 0. */
  readonly settleMs?: number;
}

const SKEW_MS = 300_000;
/** The caller measures the settle window by its own clock, which may be a little apart from ours. */
const SETTLE_SHARE = 0.75;
const SENTENCE: Readonly<Record<string, string>> = {
  NOT_FOUND: 'apiErrors.corpMemberNotFound',
  TOO_FAST: 'apiErrors.tooFast',
};

interface Refusal {
  readonly code: string;
  readonly data?: unknown;
  readonly description?: string;
}

/** Meican: meals for people by e-mail, by the contract's page. */
export class Meican extends VendorModel<MeicanOptions> {
  readonly books: MeicanBooks;
  /** The last add of each key that ended without an answer for the caller. */
  private readonly doubts = new Map<string, number>();
  /** Ids given in answers; an answer whose effect was lost gives one, too. */
  private readonly given = new Set<string>();

  constructor(options: MeicanOptions) {
    super(options);
    this.books = new MeicanBooks(options.clock);
  }

  override deliver(request: VendorRequest, fault?: Fault): Delivery {
    const { call, corp } = meicanCallOf(request);
    const mine = fault?.call === call ? fault : undefined;
    if (call === 'meican.add' && mine?.kind !== 'refuse-connection') this.watchArrival(corp, request, mine);
    return misbehave(mine, this.clock, () => this.answer(call, corp, request, mine));
  }

  /** A meal that another channel orders for the same people; undefined where one stands already. */
  placeElsewhere(key: MealKey, dishId: number): Meal | undefined {
    if (this.books.liveOf(key)) return undefined;
    const dishes = [{ dishId, count: 1, priceInCent: this.options.dishes?.get(dishId)?.priceInCent ?? 2300 }];
    return this.books.place({ ...key, realName: '', addressId: 'elsewhere', dishes, by: 'elsewhere' });
  }

  cancelElsewhere(orderId: string): void {
    const meal = this.books.meals.get(orderId);
    if (meal?.cancelledAt === null) this.books.cancel(meal, 'elsewhere');
  }

  private answer(
    call: Call | undefined,
    corp: string,
    request: VendorRequest,
    fault: Fault | undefined,
  ): Reply {
    if (fault?.kind === 'skew') return reply({ resultCode: 'UNAUTHORIZED', resultDescription: 'clock' }, 401);
    const flaw = this.flawOfSignature(request);
    if (flaw) {
      this.told.add(call ?? 'meican', 'signature', flaw);
      return reply({ resultCode: 'UNAUTHORIZED', resultDescription: 'signature' }, 401);
    }
    if (request.headers['x-sandbox-fault'] !== undefined) this.told.add(call ?? 'meican', 'sandbox-header');
    if (fault?.kind === 'rate-limit') return limited(fault);
    if (fault?.kind === 'refused') return refusal({ code: fault.code });
    switch (call) {
      case 'meican.add':
        return this.withForm(call, request, (form) => this.add(corp, form, fault));
      case 'meican.delete':
        return this.withForm(call, request, (form) => this.remove(form, fault));
      case 'meican.list':
        return this.list(corp, queryOf(request).get('target') ?? '', fault);
      default:
        this.told.add('meican', 'no-such-call', `${request.method} ${request.path.replace(/\?.*$/, '')}`);
        return reply({ resultCode: 'NOT_FOUND', resultDescription: 'no such path' }, 404);
    }
  }

  private flawOfSignature(request: VendorRequest): string | undefined {
    const query = queryOf(request);
    const [timestamp, signature] = [query.get('timestamp') ?? '', query.get('signature') ?? ''];
    if (!/^\d{13}$/.test(timestamp) || Math.abs(this.clock.now() - Number(timestamp)) > SKEW_MS)
      return 'timestamp';
    return sameText(signature, meicanSignature(this.options.secrets.corpToken, timestamp))
      ? undefined
      : 'wrong signature';
  }

  private withForm(call: Call, request: VendorRequest, work: (form: URLSearchParams) => Reply): Reply {
    if ((request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded'))
      return work(new URLSearchParams(request.body));
    return this.bad(call, 'content-type');
  }

  private bad(call: Call, what: string): Reply {
    this.told.add(call, 'bad-field', what);
    return reply({ resultCode: 'BAD_REQUEST', resultDescription: what }, 400);
  }

  private add(corp: string, form: URLSearchParams, fault: Fault | undefined): Reply {
    const asked = readAdd(corp, form);
    if (typeof asked === 'string') return this.bad('meican.add', asked);
    const standing = this.books.liveOf(asked);
    const refused = this.refuseMeal(asked);
    if (refused) return refusal(refused);
    if (standing) return this.multi(standing, asked.dishes, this.options.multiTellsId !== false);
    const answersMulti = fault?.kind === 'multi' ? fault.id : undefined;
    const foreign = answersMulti?.startsWith('foreign')
      ? this.placeElsewhere(asked, dishOf(asked.dishes) + (answersMulti === 'foreign' ? 0 : 1))
      : undefined;
    if (foreign) return this.multi(foreign, asked.dishes, true);
    const orderId = this.books.newId();
    this.given.add(orderId);
    if (fault?.kind === 'lost-effect') return done({ orderId });
    const meal = this.books.place({ ...asked, by: 'us' }, orderId);
    meal.told = !fault || answersMulti === 'own';
    if (answersMulti) return this.multi(meal, asked.dishes, meal.told);
    return done({ orderId });
  }

  private multi(meal: Meal, asked: readonly OrderedDish[], tellId: boolean): Reply {
    this.given.add(meal.orderId);
    meal.offered ||= tellId && dishOf(meal.dishes) === dishOf(asked);
    return refusal({
      code: this.options.multiOrderCode ?? 'MULTI_ORDER',
      ...(tellId ? { data: { orderId: meal.orderId } } : {}),
    });
  }

  private refuseMeal(asked: MealKey & { dishes: readonly OrderedDish[] }): Refusal | undefined {
    const { members, dishes } = this.options;
    if (members && !members.has(asked.email))
      return { code: 'NOT_FOUND', description: 'apiErrors.corpMemberNotFound' };
    if (this.isClosed(asked)) return { code: 'ORDER_CLOSED' };
    if (!dishes) return undefined;
    if (asked.dishes.some(({ dishId }) => !dishes.get(dishId)?.available))
      return { code: 'DISH_NOT_AVAILABLE' };
    const changed = asked.dishes.some(
      ({ dishId, priceInCent }) => dishes.get(dishId)?.priceInCent !== priceInCent,
    );
    return changed ? { code: 'PRICE_CHANGED' } : undefined;
  }

  private isClosed({ mealDate, mealType }: MealKey): boolean {
    const cutoffAt = this.options.cutoffAt?.(mealDate, mealType);
    return cutoffAt !== undefined && this.clock.now() >= cutoffAt;
  }

  /** An add repeated without a look into the day list, or for a meal of ours whose id was told, is no correct client's. */
  private watchArrival(corp: string, request: VendorRequest, fault: Fault | undefined): void {
    const asked = readAdd(corp, new URLSearchParams(request.body));
    if (typeof asked === 'string') return;
    const [key, standing] = [keyText(asked), this.books.liveOf(asked)];
    if (this.doubts.has(key)) this.told.add('meican.add', 'blind-repeat', key);
    if (standing?.by === 'us' && standing.told)
      this.told.add('meican.add', 'repeat-of-known-meal', `${key} ${standing.orderId}`);
    if (leavesDoubt(fault)) this.doubts.set(key, this.clock.now());
    else this.doubts.delete(key);
  }

  private remove(form: URLSearchParams, fault: Fault | undefined): Reply {
    const orderId = form.get('orderId') ?? '';
    if (orderId.trim() === '') return this.bad('meican.delete', 'orderId');
    const meal = this.books.meals.get(orderId);
    if (!meal && !this.given.has(orderId)) this.told.add('meican.delete', 'unknown-id', orderId);
    const gone: Refusal = {
      code: 'NOT_FOUND',
      data: { orderId },
      description: 'apiErrors.corpOrderUserNotFound',
    };
    if (meal?.cancelledAt !== null || meal === undefined) return refusal(gone);
    if (this.isClosed(meal)) return refusal({ code: 'ORDER_CLOSED' });
    if (meal.by === 'elsewhere' && !meal.offered) this.told.add('meican.delete', 'foreign-meal', orderId);
    if (fault?.kind !== 'lost-effect')
      this.books.cancel(meal, fault?.kind === 'already-cancelled' ? 'elsewhere' : 'us');
    return fault?.kind === 'already-cancelled' ? refusal(gone) : done({ orderId });
  }

  private list(corp: string, target: string, fault: Fault | undefined): Reply {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(target)) return this.bad('meican.list', 'target');
    const meals = this.books
      .ofDay(corp, target, this.clock.now() - this.lagOf(fault))
      .filter((meal) => !isHidden(meal, fault, this.clock.now()));
    if (!fault || !leavesDoubt(fault)) this.noteList(corp, target, meals);
    const orderList = MEAL_TYPES.flatMap((type) => this.group(target, type, meals));
    return reply({ resultCode: 'OK', resultDescription: '查询成功', data: { orderList } });
  }

  private lagOf(fault: Fault | undefined): number {
    return Math.max(this.options.listLagMs ?? 0, fault?.kind === 'read-lag' ? fault.ms : 0);
  }

  /** A list that came through tells the ids in it, and ends the doubts of the day that are older than the settle window. */
  private noteList(corp: string, target: string, meals: readonly Meal[]): void {
    for (const meal of meals) {
      meal.told = true;
      this.given.add(meal.orderId);
      this.doubts.delete(keyText(meal));
    }
    const settled = this.clock.now() - (this.options.settleMs ?? 0) * SETTLE_SHARE;
    for (const mealType of MEAL_TYPES) this.endDoubts(`${corp}|`, `|${target}|${mealType}`, settled);
  }

  private endDoubts(start: string, end: string, settled: number): void {
    for (const [key, at] of this.doubts)
      if (at <= settled && key.startsWith(start) && key.endsWith(end)) this.doubts.delete(key);
  }

  private group(target: string, type: MealType, meals: readonly Meal[]) {
    const mealList = meals.filter(({ mealType }) => mealType === type).map((meal) => this.show(meal));
    if (mealList.length === 0) return [];
    const { word, hour } = WORDS[type];
    return [
      {
        meal: `美餐网 ${word}`,
        time: `${target} ${hour}`,
        type: 'ONLINE',
        dinerCount: mealList.length,
        dishCount: mealList.length,
        mealList,
      },
    ];
  }

  private show({ orderId, email, realName, mealType, addressId, dishes }: Meal) {
    const open = this.options.optionalFields !== false;
    const orderContent = dishes.map(({ dishId, priceInCent, count }) => {
      const { name, restaurant } = this.options.dishes?.get(dishId) ?? {
        name: `菜 ${dishId}`,
        restaurant: '川味坊',
      };
      return { name, restaurant, ...(open ? { dishId } : {}), priceInCent, count };
    });
    return {
      orderId,
      email,
      realName,
      employeeId: '',
      ...(open ? { mealType, addressId } : {}),
      orderContent,
    };
  }
}

const WORDS: Record<MealType, { word: string; hour: string }> = {
  BREAKFAST: { word: '早餐', hour: '08:00:00' },
  LUNCH: { word: '午餐', hour: '12:00:00' },
  DINNER: { word: '晚餐', hour: '18:00:00' },
};

export function meicanCallOf({ method, path }: VendorRequest): { call: Call | undefined; corp: string } {
  const match = /^\/v1\/corps\/([^/?]+)\/([a-z]+)(\?|$)/.exec(path);
  const corp = decodeURIComponent(match?.[1] ?? '');
  const calls: Record<string, Call> = {
    'POST addorder': 'meican.add',
    'POST deleteorder': 'meican.delete',
    'GET listgrouporderandbill': 'meican.list',
  };
  return { call: calls[`${method} ${match?.[2]}`], corp };
}

const queryOf = (request: VendorRequest): URLSearchParams =>
  new URLSearchParams(/\?(.*)$/.exec(request.path)?.[1] ?? '');

/** The order that a form asks for, or the name of the field that is wrong. */
function readAdd(
  corp: string,
  form: URLSearchParams,
): (MealKey & { realName: string; addressId: string; dishes: OrderedDish[] }) | string {
  const text = (name: string): string => form.get(name)?.trim() ?? '';
  const blank = ['email', 'realName', 'addressId', 'mealDate', 'mealType', 'dishes'].find(
    (name) => text(name) === '',
  );
  if (blank) return blank;
  const mealType = MEAL_TYPES.find((type) => type === text('mealType'));
  if (!mealType) return 'mealType';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text('mealDate'))) return 'mealDate';
  if (!text('email').includes('@')) return 'email';
  const dishes = readDishes(text('dishes'));
  if (!dishes) return 'dishes';
  return {
    corp,
    email: text('email'),
    mealDate: text('mealDate'),
    mealType,
    realName: text('realName'),
    addressId: text('addressId'),
    dishes,
  };
}

function readDishes(text: string): OrderedDish[] | undefined {
  try {
    const list = JSON.parse(text) as OrderedDish[];
    const good =
      Array.isArray(list) &&
      list.length > 0 &&
      list.every((dish) => [dish.dishId, dish.count, dish.priceInCent].every(Number.isSafeInteger));
    return good && list.every(({ count, priceInCent }) => count > 0 && priceInCent > 0) ? list : undefined;
  } catch {
    return undefined;
  }
}

const dishOf = (dishes: readonly OrderedDish[]): number => dishes[0]?.dishId ?? 0;

/** `not-found` hides what is young, as a list that lags does. */
function isHidden(meal: Meal, fault: Fault | undefined, instant: number): boolean {
  return fault?.kind === 'not-found' && meal.placedAt > instant - fault.youngMs;
}

function done(data: unknown): Reply {
  return reply({ resultCode: 'OK', resultDescription: '成功', data });
}

function refusal({ code, data, description }: Refusal): Reply {
  return reply({
    resultCode: code,
    resultDescription: description ?? SENTENCE[code] ?? code,
    ...(data === undefined ? {} : { data }),
  });
}

function limited(fault: Extract<Fault, { kind: 'rate-limit' }>): Reply {
  const headers = { 'retry-after': String(fault.retryAfterS) };
  return reply(
    { resultCode: 'TOO_FAST', resultDescription: 'apiErrors.tooFast' },
    fault.form === 'http' ? 429 : 200,
    headers,
  );
}
