import type { z } from 'zod';
import type { Role } from '../../base/caller.js';
import type { Problem } from '../../base/problems.js';
import type { Database } from '../../database/database.js';
import type { Registry } from '../../outbox/registry.js';
import type { Signature } from '../audit.js';

/** Why an act cannot be reached in one of the three ways. */
interface Nowhere {
  readonly none: string;
}

/** A command of the command line: `events requeue`. */
interface CommandOfAct<Stated extends object = never> {
  readonly name: string;
  readonly says: string;
  /** Exit 3. Without it: `there is no <what it acts on> <id>`. */
  readonly notFound?: (stated: Target<Stated>) => string;
  /** Exit 5. Without it: `<what it acts on> <id> is <its status>`, then the reason, or else the rule. */
  readonly conflict?: (problem: Problem, stated: Target<Stated>) => string;
  /** What the state must be: for a refusal that gives no reason of its own. */
  readonly rule?: string;
}

/** What a person states, with the id of what they act on; an empty id where the act is on nothing that has one. */
export type Target<Stated extends object> = Stated & { readonly id: string };

/**
 * Something that a person may do by hand: who is on call, or a manager. The API's route, the console's form and the command are made from it. `Needs`: what it works with;
 * `Stated`: what the person states, besides the id of what it acts on and the reason; `Answer`: what becomes known by it.
 */
export interface Act<Needs = never, Stated extends object = never, Answer = unknown> {
  readonly name: string;
  /** The verbs by which the audit knows it. */
  readonly verbs: readonly string[];
  /** What its id names; null: it acts on nothing that has an id. */
  readonly on: 'event' | 'batch' | 'cause' | 'order' | 'complaint' | null;
  /** Null: nothing is stated. */
  readonly input: (z.ZodObject & z.ZodType<Stated>) | null;
  /** `over-http`: the API requires a reason; the command takes one, and the console does not ask. */
  readonly reason: 'required' | 'over-http' | 'none';
  readonly roles: readonly Role[];
  readonly words: Readonly<Record<'zh' | 'en', string>>;
  readonly route: { readonly url: `/v1/${string}`; readonly summary: string } | Nowhere;
  readonly form: { readonly urls: readonly `/console/${string}`[] } | Nowhere;
  readonly command: CommandOfAct<Stated> | Nowhere;
  /** Throws Problem when it is refused. */
  run(needs: Needs, stated: Target<Stated>, by: Signature): Promise<Answer>;
}

/** What can be read of a row without knowing what it works with. */
export type AnyAct = Pick<
  Act,
  'name' | 'verbs' | 'on' | 'reason' | 'roles' | 'words' | 'route' | 'form' | 'command'
>;

export interface Tables {
  readonly database: Database;
}

export interface Engine extends Tables {
  readonly registry: Registry;
}

/** An admin may do whatever an operator may. */
const OPERATORS: readonly Role[] = ['operator'];

export function act<Needs, Stated extends object, Answer>(
  given: Omit<Act<Needs, Stated, Answer>, 'roles' | 'verbs'> & {
    readonly verbs?: readonly string[];
    readonly roles?: readonly Role[];
  },
): Act<Needs, Stated, Answer> {
  return { verbs: [given.name], roles: OPERATORS, ...given };
}

/** A reason that the schema of the request has made sure of. */
export function reasonOf(by: Signature): Signature & { readonly reason: string } {
  const { reason } = by;
  if (reason === null) throw new Error('this act needs a reason');
  return { ...by, reason };
}
