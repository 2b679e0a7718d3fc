import { randomUUID } from 'node:crypto';
import type { Database } from './database.js';
import { duplicateOf } from './errors.js';
import { now, sql } from './sql.js';

/** What tells this database from every other, and whether it has ever given out an order number. The name is made when it is first asked for. */
export async function identityOf(database: Database): Promise<{ id: string; isFresh: boolean }> {
  const known = await read(database);
  const id = known ?? (await name(database));
  const orders = await database.query(sql`SELECT id FROM box_order LIMIT 1`);
  return { id, isFresh: orders.length === 0 };
}

async function read(database: Database): Promise<string | null> {
  const [row] = await database.query<{ identity: string }>(
    sql`SELECT identity FROM installation WHERE one = 1`,
  );
  return row?.identity ?? null;
}

/** Two processes may ask first: the primary key lets one of them name it. */
async function name(database: Database): Promise<string> {
  const id = randomUUID();
  try {
    await database.execute(sql`INSERT INTO installation (one, identity, named_at) VALUES (1, ${id}, ${now})`);
    return id;
  } catch (error) {
    if (!duplicateOf(error)) throw error;
    return (await read(database)) ?? id;
  }
}
