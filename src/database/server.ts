import type { Queryable } from './queryable.js';
import { sql } from './sql.js';

/** What the server says of itself: no table holds it, so TypeORM has no words for it. */

export async function readVersion(queryable: Queryable): Promise<string | undefined> {
  const [row] = await queryable.query<{ version: string }>(
    queryable.dialect.name === 'mysql'
      ? sql`SELECT VERSION() AS version`
      : sql`SELECT sqlite_version() AS version`,
  );
  return row?.version;
}

export interface Session {
  readonly isolation: string;
  readonly zone: string;
}

/** Of a connection to MySQL or MariaDB, as it reaches the server: a proxy may have reset it. */
export async function readSession(queryable: Queryable): Promise<Session | undefined> {
  const [session] = await queryable
    .query<Session>(sql`SELECT @@session.transaction_isolation AS isolation, @@session.time_zone AS zone`)
    // MariaDB before 11.1 calls it tx_isolation.
    .catch(() =>
      queryable.query<Session>(sql`SELECT @@session.tx_isolation AS isolation, @@session.time_zone AS zone`),
    );
  return session;
}
