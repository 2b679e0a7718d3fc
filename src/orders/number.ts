import type { Redis } from 'ioredis';
import { LessThan } from 'typeorm';
import { businessDay } from '../base/clock.js';
import type { Database } from '../database/database.js';
import { insertRow } from '../database/rows.js';
import { BoxOrder } from '../entities/box-order.js';
import { OrderCounter } from '../entities/order-counter.js';
import { counterOf, raiseCounter } from './statements.js';

/** Gives out order numbers: `yyyyMMdd` (Asia/Shanghai) and seven digits. */
export interface OrderNumbers {
  /** Unique as far as the counter knows; the UNIQUE index on order_no has the last word. */
  next(count: number, now: Date): Promise<string[]>;
  /** After a restore: numbers that were given out since the backup must not be given out again. */
  skip(by: number, now: Date): Promise<void>;
  /**
   * The counter has forgotten numbers that exist (a Redis that lost its memory): it goes on behind the
   * highest.
   */
  reseed(now: Date): Promise<void>;
}

const DIGITS = 7;
const KEEP_S = 3 * 86_400;
const KEEP_HIGHER =
  "local c = tonumber(redis.call('GET', KEYS[1]) or '0'); if c < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end return 1";

export function createOrderNumbers(database: Database, redis: Redis | null): OrderNumbers {
  const rows = counterRow(database);
  if (!redis) return rows;
  const key = (day: string): string => `lunchbox:order-no:${day}`;
  return {
    async next(count, now) {
      const day = dayOf(now);
      try {
        const last = await redis.incrby(key(day), count);
        if (last === count) await redis.expire(key(day), KEEP_S);
        return numbers(day, last, count);
      } catch {
        return rows.next(count, now); // Redis down: requests go on
      }
    },
    async skip(by, now) {
      await rows.skip(by, now);
      const [last] = await rows.next(1, now);
      await redis.eval(
        KEEP_HIGHER,
        1,
        key(dayOf(now)),
        String(Number(last?.slice(dayOf(now).length))),
        String(KEEP_S),
      );
    },
    async reseed(now) {
      await rows.reseed(now);
      const day = dayOf(now);
      await redis
        .eval(KEEP_HIGHER, 1, key(day), String(await highest(database, day)), String(KEEP_S))
        .catch(() => {});
    },
  };
}

/**
 * A counter row a day, raised in a transaction of its own, so that no order waits until another order
 * commits.
 */
function counterRow(database: Database): OrderNumbers {
  return {
    async next(count, now) {
      const day = dayOf(now);
      const last = await database.transaction(async (tx) => {
        const { affected } = await tx.execute(raiseCounter(day, count));
        if (affected === 0) return null;
        const [row] = await tx.query<{ seq: number }>(counterOf(day));
        return row?.seq ?? null;
      });
      if (last !== null) return numbers(day, last, count);
      const first = { businessDay: day, seq: await highest(database, day) };
      await insertRow(database, OrderCounter, first).catch(() => {}); // another process was first
      return this.next(count, now);
    },
    async skip(by, now) {
      await this.next(by, now);
    },
    async reseed(now) {
      const day = dayOf(now);
      const seq = await highest(database, day);
      await database.manager.update(OrderCounter, { businessDay: day, seq: LessThan(seq) }, { seq });
    },
  };
}

async function highest(database: Database, day: string): Promise<number> {
  const row = await database.manager
    .createQueryBuilder(BoxOrder, 'o')
    .select('MAX(o.orderNo)', 'no')
    .where('o.orderNo >= :day AND o.orderNo < :end', { day, end: `${day}:` })
    .getRawOne<{ no: string | null }>();
  return row?.no ? Number(row.no.slice(day.length)) : 0;
}

function numbers(day: string, last: number, count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `${day}${String(last - count + 1 + i).padStart(DIGITS, '0')}`,
  );
}

function dayOf(now: Date): string {
  return businessDay(now.getTime()).replaceAll('-', '');
}
