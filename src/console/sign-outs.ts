import { createHash } from 'node:crypto';
import type { Database } from '../database/database.js';
import { after, now, sql } from '../database/sql.js';
import { TOKEN_MAX_S } from '../http/auth.js';

const PRUNED_AT_ONCE = 100;

/**
 * The token opens the console at no process any more. A row is kept until its token has run out; each
 * sign-out deletes up to a hundred older rows.
 */
export async function keepSignOut(database: Database, token: string): Promise<void> {
  await database.transaction(async (tx) => {
    const tokenHash = hash(token);
    const [known] = await tx.query(
      sql`SELECT token_hash FROM console_sign_out WHERE token_hash = ${tokenHash}`,
    );
    if (!known)
      await tx.execute(
        sql`INSERT INTO console_sign_out (token_hash, expires_at) VALUES (${tokenHash}, ${after(TOKEN_MAX_S * 1_000)})`,
      );
    await tx.execute(sql`
      DELETE FROM console_sign_out WHERE token_hash IN (SELECT token_hash FROM (SELECT token_hash FROM console_sign_out WHERE expires_at < ${now} ORDER BY expires_at LIMIT ${PRUNED_AT_ONCE}) AS ended)`);
  });
}

export async function isSignedOut(database: Database, token: string): Promise<boolean> {
  return (
    (await database.query(sql`SELECT token_hash FROM console_sign_out WHERE token_hash = ${hash(token)}`))
      .length > 0
  );
}

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
