import type { Sql } from '../../src/database/sql.js';
import type { Rewrite } from './world.js';

/** How to take one mechanism out, in the simulation alone. A violation must be found then, or the simulation proves nothing. */
export interface Without {
  readonly rewrite?: Rewrite;
  readonly settleMs?: number;
  readonly randomRefundNumbers?: boolean;
  readonly legacyMode?: boolean;
}

const isEventInsert = (statement: Sql): boolean => (statement.strings[0] ?? '').includes('INSERT INTO outbox_event');
const replaceText =
  (from: RegExp, to: string, when: RegExp): Rewrite =>
  (statement) =>
    statement.strings.some((text) => when.test(text)) ? { ...statement, strings: statement.strings.map((text) => text.replace(from, to)) } : statement;
const chain =
  (...rewrites: Rewrite[]): Rewrite =>
  (statement) =>
    rewrites.reduce((current, rewrite) => rewrite(current), statement);
/** Its position in the INSERT of `record`: type, subject id, subject no, payload, version, dedupe key, ordering key, … */
const ORDERING = 6;
let serial = 0;

export const mechanisms: Record<string, Without> = {
  fence: {
    rewrite: chain(
      replaceText(/ AND attempt = /, ' AND 0 <= ', /^\s*UPDATE outbox_event SET status = /),
      replaceText(/ AND status = 'pending' AND lease_until IS NOT NULL/, '', /AND status = 'pending' AND lease_until IS NOT NULL/),
    ),
  },
  'CAS on status': {
    rewrite: chain(
      replaceText(/ AND status IN \(/, " AND 'x' NOT IN (", /AND status IN \(/),
      replaceText(/ AND status = '(ORDERING|PAYING)'/, '', /AND status = '(ORDERING|PAYING)'/),
    ),
  },
  'guard event': {
    rewrite: (statement) =>
      isEventInsert(statement) && statement.values[0] === 'ENERGY_CENTER_ROLLBACK_V2_ERROR'
        ? { ...statement, strings: statement.strings.map((text) => text.replace("'pending'", "'discarded'")) }
        : statement,
  },
  'settle window': { settleMs: 0 },
  'ordering key': {
    rewrite: (statement) =>
      isEventInsert(statement) ? { ...statement, values: statement.values.map((value, i) => (i === ORDERING ? null : value)) } : statement,
  },
  'refund number': { randomRefundNumbers: true, legacyMode: true },
  'idempotency record': { rewrite: replaceText(/WHERE scope_hash = /, "WHERE scope_hash = 'gone' || ", /SELECT body_hash/) },
  'stock condition': { rewrite: replaceText(/ AND remaining >= 1/, '', /remaining = remaining - 1/) },
  'release once': { rewrite: replaceText(/remaining = remaining \+ 1/, 'remaining = MIN(remaining + 2, 100000)', /remaining \+ 1/) },
  'effects with the settling': { rewrite: replaceText(/status = 'ORDERED'/, "status = 'ORDERING'", /status = 'ORDERED'/) },
};

export function aliasRefund(body: string): string {
  return body.replace(/"outRefundNo":"([^"]*)"/, (_all, number: string) => `"outRefundNo":"${number}-${++serial}"`);
}
