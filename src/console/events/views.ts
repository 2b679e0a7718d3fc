import type { Database } from '../../database/database.js';
import { duplicateOf } from '../../database/errors.js';
import { instant } from '../../database/instants.js';
import { insertRow } from '../../database/rows.js';
import { ConsoleView } from '../../entities/console-view.js';
import { audit, type Signature } from '../../operate/audit.js';

/** A filter with a name, saved for everybody. */
export type SavedView = Readonly<ConsoleView>;

const VIEWS_SHOWN = 100;

export function listViews(database: Database): Promise<SavedView[]> {
  return database.manager.find(ConsoleView, { order: { name: 'ASC' }, take: VIEWS_SHOWN });
}

/** Returns false when the name is taken. Audited. */
export async function saveView(
  database: Database,
  { name, query }: { name: string; query: string },
  act: Signature,
): Promise<boolean> {
  try {
    await database.transaction(async (tx) => {
      const { actor } = act;
      await insertRow(tx, ConsoleView, { name, query, actor, createdAt: instant(tx) });
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
    const view = await tx.manager.findOneBy(ConsoleView, { id });
    const { affected } = await tx.manager.delete(ConsoleView, { id });
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
