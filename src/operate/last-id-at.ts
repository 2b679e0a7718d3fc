import type { Database } from '../database/database.js';
import { fromSqlInstant, sql } from '../database/sql.js';

/** The last id that was recorded until then. Ids grow with time, so that a few look-ups by primary key find it. */
export async function lastIdAt(database: Database, instant: Date): Promise<string> {
  const [ends] = await database.query<{ low: unknown; high: unknown }>(
    sql`SELECT MIN(id) AS low, MAX(id) AS high FROM outbox_event`,
  );
  let low = BigInt(String(ends?.low ?? 0));
  let high = BigInt(String(ends?.high ?? 0));
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    const [row] = await database.query<{ id: unknown; created_at: unknown }>(
      sql`SELECT id, created_at FROM outbox_event WHERE id >= ${String(middle)} ORDER BY id LIMIT 1`,
    );
    if (row && fromSqlInstant(row.created_at) <= instant) low = BigInt(String(row.id));
    else high = middle - 1n;
  }
  return String(low);
}
