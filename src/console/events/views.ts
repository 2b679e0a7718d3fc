import type { Database } from '../../database/database.js';
import { duplicateOf } from '../../database/errors.js';
import { now, sql } from '../../database/sql.js';
import { audit, type Signature } from '../../operate/audit.js';

/** A filter with a name, saved for everybody. */
export interface SavedView {
  readonly id: string;
  readonly name: string;
  /** The query of its address, without the question mark. */
  readonly query: string;
  readonly actor: string;
}

export async function listViews(database: Database): Promise<SavedView[]> {
  const rows = await database.query<{ id: unknown; name: string; query: string; actor: string }>(
    sql`SELECT id, name, query, actor FROM console_view ORDER BY name LIMIT 100`,
  );
  return rows.map((row) => ({ ...row, id: String(row.id) }));
}

/** Returns false when the name is taken. Audited. */
export async function saveView(
  database: Database,
  { name, query }: { name: string; query: string },
  act: Signature,
): Promise<boolean> {
  try {
    await database.transaction(async (tx) => {
      await tx.execute(
        sql`INSERT INTO console_view (name, query, actor, created_at) VALUES (${name}, ${query}, ${act.actor}, ${now})`,
      );
      await audit(tx, act, {
        verb: 'save-view',
        targetType: 'view',
        targetId: name,
        subjectId: null,
        before: {},
        after: { query },
      });
    });
    return true;
  } catch (error) {
    if (duplicateOf(error)) return false;
    throw error;
  }
}

/** Returns false when there is no such view. Audited. */
export async function removeView(database: Database, id: string, act: Signature): Promise<boolean> {
  return database.transaction(async (tx) => {
    const [view] = await tx.query<{ name: string; query: string }>(
      sql`SELECT name, query FROM console_view WHERE id = ${id}`,
    );
    const { affected } = await tx.execute(sql`DELETE FROM console_view WHERE id = ${id}`);
    if (!view || affected === 0) return false;
    await audit(tx, act, {
      verb: 'remove-view',
      targetType: 'view',
      targetId: view.name,
      subjectId: null,
      before: { query: view.query },
      after: {},
    });
    return true;
  });
}
