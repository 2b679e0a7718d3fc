import type { Tx } from '../database/database.js';
import { INTERRUPTIONS_MAX } from './decide.js';
import * as statements from './statements.js';

/** How long an event of an unknown type, or of a newer payload version, is left to other processes. */
const LEFT_ALONE_MS = 60_000;
const LEFT_ALONE_ROWS = 1000;
/** How long a suspect waits while its process holds another. */
const SUSPECT_WAITS_MS = 100;

type Row = statements.QueueRow;

export interface LeftAlone {
  readonly type: string;
  readonly version: number;
  readonly count: number;
}

const idOf = ({ id }: Pick<Row, 'id'>): string => String(id);

/** An event that this process does not understand is not failed: it is put aside for a while and reported. */
export async function leaveAlone(tx: Tx, rows: readonly Row[]): Promise<LeftAlone[]> {
  const kinds = new Map(rows.map((row) => [`${row.type} ${row.payloadVersion}`, row]));
  const left: LeftAlone[] = [];
  for (const row of kinds.values()) {
    const alike = await tx.query<Row>(statements.selectAlike(row, LEFT_ALONE_ROWS));
    if (alike.length === 0) continue;
    const { affected } = await tx.execute(statements.postpone(alike.map(idOf), LEFT_ALONE_MS));
    left.push({ type: row.type, version: row.payloadVersion, count: affected });
  }
  return left;
}

/**
 * Two transactions that recorded the first two events of a key at once did not see each other, so both rows
 * stand in the queue. The later row is blocked here. The other is locked first: it cannot settle without
 * letting ours go on afterwards.
 */
export async function withoutBlocked(tx: Tx, rows: readonly Row[]): Promise<Row[]> {
  const keys = [...new Set(rows.map((row) => row.orderingKey).filter((key) => key !== null))];
  if (keys.length === 0) return [...rows];
  const queued = await tx.query<statements.Rival>(statements.selectRivals(keys));
  const free: Row[] = [];
  for (const row of rows) {
    const rivals = queued.filter(
      (other) => other.orderingKey === row.orderingKey && idOf(other) !== idOf(row),
    );
    const isBehind = rivals.some((rival) => goesFirst(rival, row));
    const stillQueued = isBehind ? await tx.query(statements.lockQueued(rivals.map(idOf))) : [];
    if (stillQueued.length > 0) await tx.execute(statements.block(idOf(row)));
    else free.push(row);
  }
  return free;
}

/** A lease, even our own expired one, ranks before age: what runs is never overtaken. */
function goesFirst(rival: statements.Rival, row: Row): boolean {
  if (rival.leaseUntil !== null && row.leaseUntil === null) return true;
  return BigInt(rival.id) < BigInt(row.id) && (rival.leaseUntil !== null || row.leaseUntil === null);
}

/**
 * Two attempts in a row ended without a word: either this event crashes its process, or it was claimed in the
 * same batch as one that does. A process holds one such event at a time, so that the one that crashes it is
 * found, and no other reaches the limit because of it.
 */
export function isSuspect({ interruptions }: { readonly interruptions: number }): boolean {
  return interruptions === INTERRUPTIONS_MAX - 1;
}

/** At most one suspect, and none while the process holds another; the rest fall due a little later. */
export async function oneSuspect(
  tx: Tx,
  rows: readonly Row[],
  holdsSuspect = false,
): Promise<{ free: Row[]; waitsMs: number[] }> {
  const suspects = rows.filter(({ interruptions, leaseUntil }) =>
    isSuspect({ interruptions: interruptions + (leaseUntil === null ? 0 : 1) }),
  );
  const aside = holdsSuspect ? suspects : suspects.slice(1);
  if (aside.length > 0) await tx.execute(statements.postpone(aside.map(idOf), SUSPECT_WAITS_MS));
  return { free: rows.filter((row) => !aside.includes(row)), waitsMs: aside.map(() => SUSPECT_WAITS_MS) };
}
