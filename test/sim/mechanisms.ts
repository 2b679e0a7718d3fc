import type { EnergyClient } from '../../src/clients/energy.js';
import type { Sql } from '../../src/database/sql.js';
import type { Exchange } from '../../src/entities/event-attempt.js';
import type { EventHandler, HandlerContext } from '../../src/outbox/types.js';
import type { Rewrite } from './world.js';

/** How to take one mechanism out, in the simulation alone. A violation must be found then, or the simulation proves nothing. */
export interface Without {
  /** The first seed that the tests try; the table of `npm run sim` begins with 1. */
  readonly testedFrom?: number;
  readonly rewrite?: Rewrite;
  readonly settleMs?: number;
  readonly energy?: (honest: EnergyClient) => EnergyClient;
  readonly handler?: (handler: EventHandler) => EventHandler;
}

const replaceText =
  (from: RegExp, to: string, when: RegExp): Rewrite =>
  (statement) =>
    statement.strings.some((text) => when.test(text))
      ? { ...statement, strings: statement.strings.map((text) => text.replace(from, to)) }
      : statement;
/** The same within the pieces that a statement is composed of. */
const replaceWithin =
  (from: RegExp, to: string): Rewrite =>
  (statement) => ({
    ...statement,
    strings: statement.strings.map((text) => text.replace(from, to)),
    values: statement.values.map((value) =>
      value !== null && typeof value === 'object' && 'strings' in value
        ? replaceWithin(from, to)(value)
        : value,
    ),
  });
/** Changes the value at one position of an INSERT. */
const replaceValue =
  (into: string, position: number, to: (value: unknown) => unknown): Rewrite =>
  (statement) =>
    (statement.strings[0] ?? '').includes(`INSERT INTO ${into}`)
      ? {
          ...statement,
          values: statement.values.map((value, i) => (i === position ? to(value) : value)) as Sql['values'],
        }
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
      replaceText(
        / AND status = 'pending' AND lease_until IS NOT NULL/,
        '',
        /AND status = 'pending' AND lease_until IS NOT NULL/,
      ),
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
      (statement.strings[0] ?? '').includes('INSERT INTO outbox_event') &&
      statement.values[0] === 'ENERGY_CENTER_ROLLBACK_V2_ERROR'
        ? { ...statement, strings: statement.strings.map((text) => text.replace("'pending'", "'discarded'")) }
        : statement,
  },
  'settle window': { settleMs: 0 },
  'ordering key': { rewrite: replaceValue('outbox_event', ORDERING, () => null) },
  'dedupe key': { rewrite: replaceValue('outbox_event', DEDUPE, anew) },
  'refund number': { energy: withRandomRefundNumbers },
  'interruption count': {
    rewrite: replaceText(
      /interruptions = interruptions \+ 1/,
      'interruptions = interruptions',
      /interruptions = interruptions \+ 1/,
    ),
  },
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
    rewrite: chain(
      replaceText(/WHERE scope_hash = /, "WHERE 'gone' = ", /SELECT body_hash/),
      replaceValue('idempotency_record', 0, anew),
    ),
  },
  'stock condition': { rewrite: replaceWithin(/AND remaining >= 1/, '') },
  'only final ends money': { energy: withNotFoundAsRefusal, testedFrom: 87 },
  'questions burn nothing': { handler: withQuestionsCounted },
  'discard compensates': { handler: withSilentDiscard },
  'vendor down burns nothing': { handler: withDeafEngine, testedFrom: 27 },
  'effects with the settling': {
    rewrite: replaceText(/status = 'ORDERED'/, "status = 'ORDERING'", /status = 'ORDERED'/),
  },
};

/** An energy center that is sent another refund number with each try. */
export function withRandomRefundNumbers(energy: EnergyClient): EnergyClient {
  const unPay: EnergyClient['unPay'] = (wanted, context) =>
    energy.unPay({ ...wanted, outRefundNo: anew(wanted.outRefundNo) }, context);
  return new Proxy(energy, {
    get: (target, key) => {
      const own: unknown = key === 'unPay' ? unPay : Reflect.get(target, key, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

/** "There is no such payment" is taken for the end of it. */
function withNotFoundAsRefusal(energy: EnergyClient): EnergyClient {
  const queryPay: EnergyClient['queryPay'] = async (number, context) => {
    const found = await energy.queryPay(number, context);
    return found.kind === 'applied' && found.value.state === 'NONE'
      ? { ...found, value: { ...found.value, state: 'FAILED' } }
      : found;
  };
  return new Proxy(energy, {
    get: (target, key) => {
      const own: unknown = key === 'queryPay' ? queryPay : Reflect.get(target, key, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

function withQuestionsCounted(handler: EventHandler): EventHandler {
  return {
    ...handler,
    handle: async (event, context) => {
      const outcome = await handler.handle(event, context);
      return outcome.kind === 'ask-again' ? { ...outcome, kind: 'retry' } : outcome;
    },
  };
}

/** A discard only sets the event's status. */
function withSilentDiscard({ onDiscarded: _gone, ...handler }: EventHandler): EventHandler {
  return { ...handler, refuseDiscard: async () => null };
}

/** A 5xx, or no answer at all, is an answer like any other: no breaker opens by it, and an attempt that heard nothing else has failed. */
function withDeafEngine(handler: EventHandler): EventHandler {
  return {
    ...handler,
    handle: async (event, context) => {
      const heard: Exchange[] = [];
      const journal: HandlerContext['journal'] = (exchange) => {
        heard.push(exchange);
        context.journal(
          exchange.outcome === 'unknown' ? { ...exchange, answer: { status: 400, body: null } } : exchange,
        );
      };
      const outcome = await handler.handle(
        event,
        new Proxy(context, {
          get: (target, key) => (key === 'journal' ? journal : Reflect.get(target, key, target)),
        }),
      );
      const isSilent =
        heard.some(({ request }) => request.method === 'POST') &&
        heard.every(({ outcome: how }) => how === 'unknown');
      return outcome.kind === 'ask-again' && isSilent ? { ...outcome, kind: 'retry' } : outcome;
    },
  };
}
