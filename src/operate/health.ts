import { IsNull } from 'typeorm';
import type { Queryable } from '../database/database.js';
import { isAfter } from '../database/instants.js';
import { ProcessHeartbeat } from '../entities/process-heartbeat.js';

/** A process that has not reported for so long counts as lost. Milliseconds. */
const LOST_AFTER_MS = 45_000;
/** How long a process that ended is still shown. Milliseconds. */
const ENDED_SHOWN_MS = 3_600_000;

/** `ended`: it stopped cleanly, and reported that; `lost`: it fell silent. */
type ProcessState = 'alive' | 'lost' | 'ended';

export interface Heartbeat extends Omit<ProcessHeartbeat, 'breakers'> {
  readonly breakers: readonly {
    readonly target: string;
    readonly state: string;
    readonly since: string | null;
  }[];
  readonly state: ProcessState;
}

/** Every process that was seen within a day; of those that ended, only the last hour's. */
export async function heartbeats(queryable: Queryable): Promise<Heartbeat[]> {
  const rows = await queryable.manager.find(ProcessHeartbeat, {
    where: [{ endedAt: IsNull() }, { endedAt: isAfter(queryable, -ENDED_SHOWN_MS) }],
    order: { endedAt: 'ASC', kind: 'ASC', startedAt: 'ASC' },
    take: 200,
  });
  const nowMs = (await queryable.now()).getTime();
  const stateOf = ({ endedAt, seenAt }: ProcessHeartbeat): ProcessState => {
    if (endedAt !== null) return 'ended';
    return seenAt.getTime() < nowMs - LOST_AFTER_MS ? 'lost' : 'alive';
  };
  return rows.map((row) => ({
    ...row,
    breakers: JSON.parse(row.breakers) as Heartbeat['breakers'],
    state: stateOf(row),
  }));
}
