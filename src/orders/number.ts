import type { Redis } from 'ioredis';
import { businessDay } from '../base/clock.js';
import type { Database } from '../database/database.js';
import { sql } from '../database/sql.js';

/** Gives out order numbers: `yyyyMMdd` (Asia/Shanghai) and seven digits. */
export interface OrderNumbers {
  /** Unique as far as the counter knows; the UNIQUE index on order_no has the last word. */
  next(count: number, now: Date): Promise<string[]>;
  /** After a restore: numbers that were given out since the backup must not be given out again. */
  skip(by: number, now: Date): Promise<void>;
  /** The counter had forgotten numbers that exist (a Redis that lost its memory): go on behind the highest. */
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

/** A counter row a day, in a transaction of its own: nobody's order waits for another's to commit. */
function counterRow(database: Database): OrderNumbers {
  return {
    async next(count, now) {
      const day = dayOf(now);
      const last = await database.transaction(async (tx) => {
        const { affected } = await tx.execute(
          sql`UPDATE order_counter SET seq = seq + ${count} WHERE business_day = ${day}`,
        );
        if (affected === 0) return null;
        const [row] = await tx.query<{ seq: number }>(
          sql`SELECT seq FROM order_counter WHERE business_day = ${day}`,
        );
        return row?.seq ?? null;
      });
      if (last !== null) return numbers(day, last, count);
      await database
        .execute(
          sql`INSERT INTO order_counter (business_day, seq) VALUES (${day}, ${await highest(database, day)})`,
        )
        .catch(() => {}); // another process was first
      return this.next(count, now);
    },
    async skip(by, now) {
      await this.next(by, now);
    },
    async reseed(now) {
      const day = dayOf(now);
      const seq = await highest(database, day);
      await database.execute(
        sql`UPDATE order_counter SET seq = ${seq} WHERE business_day = ${day} AND seq < ${seq}`,
      );
    },
  };
}

async function highest(database: Database, day: string): Promise<number> {
  const [row] = await database.query<{ no: string | null }>(
    sql`SELECT MAX(order_no) AS no FROM box_order WHERE order_no >= ${day} AND order_no < ${`${day}:`}`,
  );
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
