import { applied, type Outcome, unknown } from './outcome.js';

/** A payer that does not know the number says so by a refusal: that is an answer. */
export function noneWhereRefused<T>(outcome: Outcome<T>, codes: readonly string[], none: T): Outcome<T> {
  return outcome.kind === 'rejected' && codes.includes(outcome.code) ? applied(none) : outcome;
}

/** A create that is refused because the number is paid: an earlier create was carried out. */
export function unknownWherePaid<T>(outcome: Outcome<T>, codes: readonly string[]): Outcome<T> {
  return outcome.kind === 'rejected' && codes.includes(outcome.code)
    ? unknown(outcome.code, outcome.message)
    : outcome;
}
