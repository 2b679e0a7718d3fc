import type { AlertRules } from '../alerts/raise.js';
import type { EventDefinition, EventHandler } from '../outbox/types.js';
import type { HandlerDependencies } from './dependencies.js';

/** An event type in the words of the console, the alerts and docs/events.md. */
export interface TypeWords {
  readonly name: string;
  readonly does: string;
  /** What it means if the event never succeeds. */
  readonly ifNever: string;
  /** Who, or what, is affected while it is not done. */
  readonly affects: string;
}

/**
 * What a person's discard means while the order, or the row, that the event is about is in state `of`. Shown
 * in docs/events.md.
 */
export interface DiscardRule {
  readonly of: string;
  readonly pending: string;
  readonly errored: string;
}

/**
 * Everything about an event type. One file exports one of these, and `index.ts` lists it: nothing else names
 * the type.
 */
export interface EventType<P = unknown> extends EventDefinition<P> {
  readonly words: { readonly zh: TypeWords; readonly en: TypeWords };
  /**
   * A second run with the same numbers does nothing twice, so a person may requeue without looking at the
   * vendor first.
   */
  readonly repeatable: boolean;
  /** What `refuseDiscard` and `onDiscarded` of the handler amount to. */
  readonly discard: readonly DiscardRule[];
  /** Absent: an errored event raises an alert of kind `errored` or `unknown`, and nothing more. */
  readonly alerts?: AlertRules;
  createHandler(dependencies: HandlerDependencies): EventHandler<P>;
}
