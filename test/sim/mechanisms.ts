import type { EnergyClient } from '../../src/clients/energy.js';
import type { Sql } from '../../src/database/sql.js';
import type { Rewrite } from './world.js';

/** How to take one mechanism out, in the simulation alone. A violation must be found then, or the simulation proves nothing. */
export interface Without {
  readonly rewrite?: Rewrite;
  readonly settleMs?: number;
  readonly randomRefundNumbers?: boolean;
  readonly legacyMode?: boolean;
}

const replaceText =
  (from: RegExp, to: string, when: RegExp): Rewrite =>
  (statement) =>
    statement.strings.some((text) => when.test(text)) ? { ...statement, strings: statement.strings.map((text) => text.replace(from, to)) } : statement;
/** The same within the pieces that a statement is composed of. */
const replaceWithin =
  (from: RegExp, to: string): Rewrite =>
  (statement) => ({
    ...statement,
    strings: statement.strings.map((text) => text.replace(from, to)),
    values: statement.values.map((value) => (value !== null && typeof value === 'object' && 'strings' in value ? replaceWithin(from, to)(value) : value)),
  });
/** Changes the value at one position of an INSERT. */
const replaceValue =
  (into: string, position: number, to: (value: unknown) => unknown): Rewrite =>
  (statement) =>
    (statement.strings[0] ?? '').includes(`INSERT INTO ${into}`)
      ? { ...statement, values: statement.values.map((value, i) => (i === position ? to(value) : value)) as Sql['values'] }
      : statement;
const chain =
  (...rewrites: Rewrite[]): Rewrite =>
  (statement) =>
    rewrites.reduce((current, rewrite) => rewrite(current), statement);
/** Positions in the INSERT of `record`: type, subject id, subject no, payload, version, dedupe key, ordering key, … */
const DEDUPE = 5;
const ORDERING = 6;
let serial = 0;
const anew = (value: unknown): string => `${String(value)}~${++serial}`;

export const mechanisms: Record<string, Without> = {
  fence: {
    rewrite: chain(
      replaceText(/ AND attempt = /, ' AND 0 <= ', /^\s*SET status = /),
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
      (statement.strings[0] ?? '').includes('INSERT INTO outbox_event') && statement.values[0] === 'ENERGY_CENTER_ROLLBACK_V2_ERROR'
        ? { ...statement, strings: statement.strings.map((text) => text.replace("'pending'", "'discarded'")) }
        : statement,
  },
  'settle window': { settleMs: 0 },
  'ordering key': { rewrite: replaceValue('outbox_event', ORDERING, () => null) },
  'dedupe key': { rewrite: replaceValue('outbox_event', DEDUPE, anew) },
  'refund number': { randomRefundNumbers: true, legacyMode: true },
  'interruption count': { rewrite: replaceText(/interruptions = interruptions \+ 1/, 'interruptions = interruptions', /interruptions = interruptions \+ 1/) },
  'requeue fence': {
    rewrite: chain(
      replaceText(
        /SELECT id, status, ordering_key/,
        "SELECT id, 'errored' AS status, ordering_key",
        /SELECT id, status, ordering_key, lease_until, subject_id/,
      ),
      replaceText(/ AND status = 'errored'/, '', / AND status = 'errored'/),
    ),
  },
  'idempotency record': {
    rewrite: chain(replaceText(/WHERE scope_hash = /, "WHERE 'gone' = ", /SELECT body_hash/), replaceValue('idempotency_record', 0, anew)),
  },
  'stock condition': { rewrite: replaceWithin(/AND remaining >= 1/, '') },
  'effects with the settling': { rewrite: replaceText(/status = 'ORDERED'/, "status = 'ORDERING'", /status = 'ORDERED'/) },
};

/** An energy center that is sent another refund number with each try. */
export function withRandomRefundNumbers(energy: EnergyClient): EnergyClient {
  const unPay: EnergyClient['unPay'] = (wanted, context) => energy.unPay({ ...wanted, outRefundNo: anew(wanted.outRefundNo) }, context);
  return new Proxy(energy, {
    get: (target, key) => {
      const own: unknown = key === 'unPay' ? unPay : Reflect.get(target, key, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
