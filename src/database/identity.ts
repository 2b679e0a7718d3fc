import { randomUUID } from 'node:crypto';
import { BoxOrder } from '../entities/box-order.js';
import { Installation } from '../entities/installation.js';
import type { Database } from './database.js';
import { duplicateOf } from './errors.js';
import { instant } from './instants.js';
import { insertRow } from './rows.js';

/**
 * Which database this is, and whether it has never held an order. The first question gives it its identity.
 */
export async function identityOf(database: Database): Promise<{ id: string; isFresh: boolean }> {
  const id = (await read(database)) ?? (await name(database));
  return { id, isFresh: !(await database.manager.exists(BoxOrder)) };
}

async function read(database: Database): Promise<string | null> {
  return (await database.manager.findOneBy(Installation, { one: 1 }))?.identity ?? null;
}

/** Two processes may ask first: the primary key lets one of them name it. */
async function name(database: Database): Promise<string> {
  const identity = randomUUID();
  try {
    await insertRow(database, Installation, { one: 1, identity, namedAt: instant(database) });
    return identity;
  } catch (error) {
    if (!duplicateOf(error)) throw error;
    return (await read(database)) ?? identity;
  }
}
