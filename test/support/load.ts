import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import type { Books } from '../../src/dev/sandbox/ledger.js';
import type { getMenu } from '../../src/orders/menu.js';
import { disagreements, pendingCount } from './books.js';
import { call } from './processes.js';

type Menu = Awaited<ReturnType<typeof getMenu>>;

/** Diners who order and cancel, and insist: the same request with the same key until it gets an answer that is one. */
export class Load {
  readonly counts = { placed: 0, cancelled: 0, refused: 0, unanswered: 0 };
  /** The slowest answer, whatever it said. Milliseconds. */
  slowestMs = 0;
  readonly #told = new Map<string, 'ORDERED' | 'USER_CANCEL'>();
  #abandoned = false;

  constructor(
    private readonly options: {
      /** Base URLs of the APIs that may be asked now. */
      readonly apis: () => readonly string[];
      readonly menus: readonly Menu[];
      readonly date: string;
      readonly random: () => number;
      /** Between two orders of a diner, at most. Milliseconds. */
      readonly pauseMs: number;
    },
  ) {}

  /** One client, until it is told to stop; what it has begun it brings to an end. */
  async client(name: string, goesOn: () => boolean): Promise<void> {
    const { date, menus, random, pauseMs } = this.options;
    for (let i = 0; goesOn(); i++) {
      const sub = `${name}-${i}`;
      const menu = this.#pick(menus);
      const meal = {
        dishId: this.#pick(menu.dishes).id,
        sideboardId: this.#pick(menu.sideboards).id,
        edibleDate: date,
        mealType: menu.mealType,
      };
      const placed = await this.#insist<{ orders?: { id: string }[] }>('/v1/orders', {
        sub,
        key: 'place',
        body: { garden: menu.garden, meals: [meal] },
      });
      const id = placed.body.orders?.[0]?.id;
      if (placed.status !== 201 || !id) {
        this.#refused(placed);
        continue;
      }
      this.counts.placed += 1;
      this.#told.set(id, 'ORDERED');
      if (random() < 0.4) {
        if (random() < 0.5) await sleep(random() * pauseMs * 3);
        const cancelled = await this.#insist(`/v1/orders/${id}/cancel`, { sub, key: 'cancel', body: {} });
        if (cancelled.status === 200 || cancelled.status === 202) {
          this.#told.set(id, 'USER_CANCEL');
          this.counts.cancelled += 1;
        } else this.#refused(cancelled);
      }
      await sleep(random() * pauseMs);
    }
  }

  /** The test has failed: nobody insists any more, so that the next test has the machine to itself. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Waits until nothing is pending; false when that takes too long. */
  async rest(database: Database, timeoutMs: number): Promise<boolean> {
    for (const deadlineMs = Date.now() + timeoutMs; Date.now() < deadlineMs; ) {
      if ((await pendingCount(database).catch(() => -1)) === 0) return true;
      await sleep(200);
    }
    return false;
  }

  /** At rest: every way in which a diner was told what is not so, or books disagree, or an event was given up. */
  async violations(database: Database, books: Books): Promise<string[]> {
    const found = [...(await disagreements(database, books)), ...(await this.told(database))];
    const errored = await database.query<{ id: unknown; type: string; last_error_code: string }>(
      sql`SELECT id, type, last_error_code FROM outbox_event WHERE status = 'errored'`,
    );
    for (const event of errored)
      found.push(`event ${String(event.id)} ${event.type} errored: ${event.last_error_code}`);
    return found;
  }

  /** Diners who were told what is not so. `also`: what an order may have become besides, where vendors refuse. */
  async told(database: Database, also: readonly string[] = []): Promise<string[]> {
    const rows = await database.query<{ id: unknown; status: string }>(sql`SELECT id, status FROM box_order`);
    const statusOf = new Map(rows.map((row) => [String(row.id), row.status]));
    return [...this.#told].flatMap(([id, told]) => {
      const status = statusOf.get(id) ?? 'gone';
      return status === told || (told === 'ORDERED' && also.includes(status))
        ? []
        : [`order ${id} is ${status}; its diner was told ${told}`];
    });
  }

  async #insist<T>(
    path: string,
    options: { sub: string; key: string; body: unknown },
  ): Promise<{ status: number; body: T }> {
    for (;;) {
      if (this.#abandoned) throw new Error('abandoned');
      const startedMs = performance.now();
      const answer = await call<T & { code?: string }>(
        `${this.#pick(this.options.apis())}${path}`,
        'POST',
        options,
      );
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
      if (answer.status === 0) this.counts.unanswered += 1;
      else if (
        answer.status < 500 &&
        answer.body.code !== 'idempotency-in-progress' &&
        answer.body.code !== 'order-busy'
      )
        return answer;
      await sleep(100 + this.options.random() * 200);
    }
  }

  #refused(answer: { status: number; body: unknown }): void {
    this.counts.refused += 1;
    console.error(`  unexpected: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.options.random() * items.length)] as T;
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
