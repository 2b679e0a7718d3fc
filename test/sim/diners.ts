import type { Caller } from '../../src/base/caller.js';
import { Problem } from '../../src/base/problems.js';
import type { Database } from '../../src/database/database.js';
import { isUnavailable } from '../../src/database/errors.js';
import { sql } from '../../src/database/sql.js';
import type { Attempted } from '../../src/http/idempotency.js';
import { cancel } from '../../src/orders/cancel.js';
import type { MealInput } from '../../src/orders/check-meals.js';
import { place } from '../../src/orders/place.js';
import { diceOf, pick } from './chance.js';
import type { Process } from './process.js';
import type { World } from './world.js';

interface Placed {
  readonly id: string;
  readonly orderNo: string;
}

/** One order that a diner wants: one idempotency key, however often it is sent. */
interface Wish {
  readonly key: string;
  readonly meals: readonly MealInput[];
  orders: readonly Placed[];
  /** The least that the diner may believe: what the last trustworthy answer promised. */
  told: 'nothing' | 'ordered' | 'refused';
  /** Requests without an answer so far, and such as died: since the last refusal anything may have happened. */
  open: number;
  died: boolean;
  /** Ids of orders whose cancel was answered. */
  readonly cancelled: Set<string>;
}

export interface Diner {
  readonly sub: string;
  readonly email: string;
  readonly wantsCancel: boolean;
  /** What it orders at once. */
  readonly meals: readonly MealInput[];
  readonly wishes: Wish[];
  inFlight: number;
}

const WISHES_MAX = 3;
const IN_FLIGHT_MAX = 2;

/** People who order, repeat, cancel from two devices, and order again. */
export class Diners {
  readonly violations: string[] = [];

  constructor(
    private readonly world: World,
    readonly all: readonly Diner[],
  ) {}

  /** Numbers of orders that somebody has been told of. */
  get orderNos(): string[] {
    return this.all.flatMap((diner) =>
      diner.wishes.flatMap((wish) => wish.orders.map((order) => order.orderNo)),
    );
  }

  act(r: number, apis: (r: number) => Process): void {
    const dice = diceOf(r);
    const able = this.all.filter((diner) => diner.inFlight < IN_FLIGHT_MAX);
    const diner = pick(able, dice());
    if (!diner) return;
    const api = apis(dice());
    const wish = diner.wishes.at(-1);
    const toCancel =
      wish?.told === 'ordered' && (diner.wantsCancel || wish.cancelled.size > 0)
        ? pick(wish.orders, dice())
        : undefined;
    const isOver =
      wish &&
      (wish.told === 'refused' ||
        (wish.orders.length > 0 && wish.orders.every(({ id }) => wish.cancelled.has(id))));
    const more = dice();
    if (!wish || (isOver && more < 0.5 && wish.open === 0 && diner.wishes.length < WISHES_MAX)) {
      const next: Wish = {
        key: `order-${diner.wishes.length + 1}`,
        meals: diner.meals,
        orders: [],
        told: 'nothing',
        open: 0,
        died: false,
        cancelled: new Set(),
      };
      diner.wishes.push(next);
      this.#send(api, diner, next, () => this.#place(api, diner, next));
    } else if (wish && toCancel && more < 0.9) {
      const device = pick(['phone', 'desk', 'gateway'] as const, dice()) ?? 'phone';
      this.#send(api, diner, wish, () => this.#cancel(api, diner, wish, toCancel, device));
    } else this.#send(api, diner, wish, () => this.#place(api, diner, wish)); // once more, with the same key
  }

  #send(api: Process, diner: Diner, wish: Wish, request: () => Promise<void>): void {
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      diner.inFlight -= 1;
      wish.open -= 1;
    };
    const mine = {
      lost: (): void => {
        wish.died = true;
        over();
      },
    };
    diner.inFlight += 1;
    wish.open += 1;
    api.requests.add(mine);
    request()
      .catch((error: unknown) => void this.violations.push(`a request failed: ${(error as Error).stack}`))
      .finally(() => {
        api.requests.delete(mine);
        over();
      });
  }

  async #place(api: Process, diner: Diner, wish: Wish): Promise<void> {
    const { sub, email } = diner;
    this.world.tell(`${sub} asks ${api.process.name} for ${wish.key}`);
    const attempted = attemptedBy(sub, 'place', wish.key, wish.meals);
    try {
      const answer = await place(api.place, {
        attempted,
        userId: sub,
        email,
        realName: sub,
        garden: 'g',
        meals: wish.meals,
        traceparent: null,
      });
      const body = answer.body as { orders?: Placed[] };
      this.world.tell(
        `${sub} hears: ${answer.status}, orders ${body.orders?.map(({ id }) => id).join(', ') ?? ''}`,
      );
      if (answer.status === 201 && body.orders) this.#ordered(diner, wish, body.orders);
      else wish.told = 'refused'; // an earlier refusal, once more
    } catch (error) {
      this.#refused(diner, wish, error);
    }
  }

  #ordered(diner: Diner, wish: Wish, orders: readonly Placed[]): void {
    if (
      wish.orders.length > 0 &&
      wish.orders.map(({ id }) => id).join() !== orders.map(({ id }) => id).join()
    )
      this.violations.push(`${diner.sub} repeated a request and got another order`);
    wish.orders = orders;
    wish.told = 'ordered';
  }

  #refused({ sub, wishes }: Diner, wish: Wish, error: unknown): void {
    const { status, code } = problemOf(error);
    this.world.tell(`${sub} hears: ${status} ${code}`);
    if (
      code === 'already-ordered' &&
      wishes.every(
        (one) =>
          one === wish || (one.told === 'refused' && !one.died) || one.cancelled.size === one.meals.length,
      )
    )
      this.violations.push(`${sub} repeated a request and was refused because of its own order`);
    if (code === 'idempotency-in-progress' || code === 'order-busy') return;
    // A run that another one of the same request has overtaken may say 5xx of itself: the same key hears the answer next time.
    if (wish.told === 'ordered' && status < 500)
      this.violations.push(`${sub} was told of an order, and hears ${code} for the same request`);
    if (status < 500) wish.told = 'refused';
    if (wish.open === 1) wish.died = false; // nothing else of it is under way: what it was told is the last word
  }

  async #cancel(
    api: Process,
    diner: Diner,
    wish: Wish,
    order: Placed,
    device: 'phone' | 'desk' | 'gateway',
  ): Promise<void> {
    const { sub } = diner;
    const caller: Caller =
      device === 'gateway'
        ? { sub: 'gateway', role: 'service', email: null, name: 'gateway' }
        : { sub, role: 'user', email: diner.email, name: sub };
    this.world.tell(`${sub} asks ${api.process.name} to cancel ${order.orderNo} from the ${device}`);
    const attempted = attemptedBy(caller.sub, `cancel ${order.id}`, `${device}-${order.id}`, {});
    try {
      const answer = await cancel(api.cancel, {
        attempted,
        caller,
        orderId: order.id,
        reason: null,
        traceparent: null,
      });
      this.world.tell(`${sub} hears: ${answer.status}`);
      if (answer.status !== 200 && answer.status !== 202) return;
      wish.cancelled.add(order.id);
      if (answer.status === 200 && !answer.replayed) this.#settled(order);
    } catch (error) {
      const { status, code } = problemOf(error);
      this.world.tell(`${sub} hears: ${status} ${code}`);
      if (code === 'dependency-unavailable') await this.#nothingKept(order);
    }
  }

  /** 200 means: the points are back, and Meican does not cook. */
  #settled({ orderNo }: Placed): void {
    if (this.world.vendors.loses) return; // an answer of "done" without an effect deceives everybody
    const books = this.world.vendors.books();
    const trade = books.trades.find((one) => one.outTradeNo === `P${orderNo}`);
    const back = books.refunds.some((one) => one.outTradeNo === `P${orderNo}` && one.status === 'SUCCESS');
    if (trade?.status === 'SUCCESS' && !back)
      this.violations.push(`the cancel of ${orderNo} was answered 200 before the points were back`);
  }

  async #nothingKept({ id, orderNo }: Placed): Promise<void> {
    const [row] = await this.world.database.query<{ status: string }>(
      sql`SELECT status FROM box_order WHERE id = ${id}`,
    );
    if (row?.status === 'USER_CANCEL')
      this.violations.push(`the cancel of ${orderNo} was kept, and answered "nothing was kept"`);
  }

  /** At rest: whoever was told something finds it so. */
  async judge(database: Database): Promise<string[]> {
    const rows = await database.query<{ id: unknown; status: string; request_id: string; order_no: string }>(
      sql`SELECT id, status, request_id, order_no FROM box_order`,
    );
    return this.all.flatMap((diner) =>
      diner.wishes.flatMap((wish) => {
        const found: string[] = [];
        for (const { id, orderNo } of wish.told === 'ordered' ? wish.orders : []) {
          const status = rows.find((row) => String(row.id) === id)?.status ?? 'gone';
          const allowed = wish.cancelled.has(id)
            ? ['USER_CANCEL']
            : ['ORDERED', 'ORDER_ERROR', 'USER_CANCEL'];
          if (!allowed.includes(status))
            found.push(
              `${diner.sub} was told ${wish.cancelled.has(id) ? 'cancelled' : 'ordered'}; order ${orderNo} is ${status}`,
            );
        }
        const live = rows.filter(
          (row) => row.request_id === requestIdOf(diner.sub, wish.key) && row.status === 'ORDERED',
        );
        if (wish.told === 'refused' && !wish.died && live.length > 0)
          found.push(`${diner.sub} was refused ${wish.key}, and has order ${live[0]?.order_no}`);
        return found;
      }),
    );
  }
}

const requestIdOf = (sub: string, key: string): string => `request-${sub}-${key}`;

function attemptedBy(sub: string, operation: string, key: string, body: unknown): Attempted {
  return {
    caller: sub,
    role: sub === 'gateway' ? 'service' : 'user',
    operation,
    key,
    body,
    instance: '/',
    requestId: requestIdOf(sub, key),
    lockMs: 15_000,
  };
}

/** What the HTTP layer would answer. */
function problemOf(error: unknown): { status: number; code: string } {
  if (error instanceof Problem) return { status: error.status, code: error.code };
  if (isUnavailable(error)) return { status: 503, code: 'dependency-unavailable' };
  throw error;
}
