import { IsNull } from 'typeorm';
import { Problem } from '../base/problems.js';
import type { Database, Queryable } from '../database/database.js';
import { instant, isAfter } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import { EventPause } from '../entities/event-pause.js';
import type { Registry } from '../outbox/registry.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import { audit, type Signature } from './audit.js';

/** The longest pause; who needs a longer one pauses again. Milliseconds. */
export const PAUSE_MAX_MS = 24 * 3_600_000;
const PAUSES_SHOWN = 100;

export type Pause = Readonly<EventPause>;

/**
 * Nothing of this type, or of this target, is claimed until `forMs` are over; attempts that run go on. Audited. Throws Problem `not-found`
 * or `already-paused`.
 */
export async function pause(
  database: Database,
  registry: Registry,
  { scope, name, forMs }: Pick<Pause, 'scope' | 'name'> & { forMs: number },
  by: Signature & { reason: string },
): Promise<void> {
  const types = registry
    .all()
    .filter((handler) => (scope === 'type' ? handler.definition.type : handler.definition.target) === name);
  if (types.length === 0) throw new Problem('not-found', { detail: `there is no ${scope} of this name` });
  await database.transaction(async (tx) => {
    if (await tx.manager.existsBy(EventPause, { scope, name, ...active(tx) }))
      throw new Problem('already-paused');
    const fromAt = await tx.now();
    const untilAt = new Date(fromAt.getTime() + Math.min(forMs, PAUSE_MAX_MS));
    const { actor, reason } = by;
    for (const { definition } of types)
      await insertRow(tx, EventPause, { scope, name, type: definition.type, fromAt, untilAt, actor, reason });
    await audit(tx, by, {
      verb: 'pause',
      targetType: scope,
      targetId: name,
      subjectId: null,
      before: {},
      after: { forMs },
    });
  });
}

/** Ends a pause before its time. Audited. Throws Problem `not-found`. */
export async function resume(
  database: Database,
  { scope, name }: Pick<Pause, 'scope' | 'name'>,
  by: Signature,
): Promise<void> {
  await database.transaction(async (tx) => {
    const paused = { scope, name, ...active(tx) };
    const { affected } = await tx.manager.update(EventPause, paused, { endedAt: instant(tx) });
    if (affected === 0) throw new Problem('not-found', { detail: 'it is not paused' });
    await audit(tx, by, {
      verb: 'resume',
      targetType: scope,
      targetId: name,
      subjectId: null,
      before: {},
      after: {},
    });
    wakeAfterCommit(tx);
  });
}

/** What is paused now, the newest first. */
export async function activePauses(database: Queryable): Promise<Pause[]> {
  const where = active(database);
  return database.manager.find(EventPause, { where, order: { id: 'DESC' }, take: PAUSES_SHOWN });
}

function active(queryable: Queryable) {
  return { untilAt: isAfter(queryable), endedAt: IsNull() };
}
