import { LessThan } from 'typeorm';
import type { Database } from '../../database/database.js';
import { BoxOrder } from '../../entities/box-order.js';
import type { Listed } from '../parts/listed.js';

const LIST_MAX = 50;

/**
 * Newest first, fifty at a time, by id: a row that is added while a person pages neither repeats nor hides
 * another row.
 */
export async function listOrders(
  database: Database,
  filter: { userId?: string | undefined; edibleDate?: string | undefined; beforeId?: string | undefined },
): Promise<Listed<BoxOrder>> {
  const { beforeId, ...equal } = filter;
  const where = Object.fromEntries(Object.entries(equal).filter(([, value]) => value));
  const rows = await database.manager.find(BoxOrder, {
    where: { ...where, ...(beforeId ? { id: LessThan(beforeId) } : {}) },
    order: { id: 'DESC' },
    take: LIST_MAX + 1,
  });
  return page(rows, (row) => row.id);
}

function page<T>(rows: readonly T[], idOf: (row: T) => string): Listed<T> {
  const shown = rows.slice(0, LIST_MAX);
  const last = shown.at(-1);
  return { rows: shown, nextId: rows.length > LIST_MAX && last ? idOf(last) : null };
}
