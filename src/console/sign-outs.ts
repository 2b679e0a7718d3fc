import { createHash } from 'node:crypto';
import { In } from 'typeorm';
import type { Database, Tx } from '../database/database.js';
import { instant, isBefore } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import { ConsoleSignOut } from '../entities/console-sign-out.js';
import { TOKEN_MAX_S } from '../http/auth.js';

const PRUNED_AT_ONCE = 100;

/**
 * The token opens the console at no process any more. A row is kept until its token has run out; each
 * sign-out deletes up to a hundred older rows.
 */
export async function keepSignOut(database: Database, token: string): Promise<void> {
  await database.transaction(async (tx) => {
    const tokenHash = hash(token);
    const expiresAt = instant(tx, TOKEN_MAX_S * 1_000);
    if (!(await tx.manager.existsBy(ConsoleSignOut, { tokenHash })))
      await insertRow(tx, ConsoleSignOut, { tokenHash, expiresAt });
    await prune(tx);
  });
}

async function prune(tx: Tx): Promise<void> {
  const old = await tx.manager.find(ConsoleSignOut, {
    where: { expiresAt: isBefore(tx) },
    order: { expiresAt: 'ASC' },
    take: PRUNED_AT_ONCE,
  });
  if (old.length === 0) return;
  // In the order of the key, so that two sign-outs cannot wait for each other.
  await tx.manager.delete(ConsoleSignOut, { tokenHash: In(old.map(({ tokenHash }) => tokenHash).sort()) });
}

export function isSignedOut(database: Database, token: string): Promise<boolean> {
  return database.manager.existsBy(ConsoleSignOut, { tokenHash: hash(token) });
}

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
