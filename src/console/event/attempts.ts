import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import { exchangeView } from '../parts/exchange.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';
import type { Attempt, EventView } from './view.js';

/**
 * What a person on a phone needs first: the last call, short. Everything else about the attempt is one click
 * away.
 */
export function lastAttempt(visitor: Visitor, attempt: Attempt, now: Date): Html {
  const { words: w, language } = visitor;
  const exchange = attempt.exchanges.at(-1);
  return html`<p>${w.attempt} ${attempt.number}, ${named(language, attempt.outcome)}, ${time(new Date(attempt.startedAt), now, language)}: ${attempt.decision ?? '…'}</p>
${exchange ? html`<div class="short">${exchangeView(visitor, exchange, attempt.exchanges.length - 1)}</div>` : html`<p>—</p>`}`;
}

/** The latest first, each folded. */
export function allAttempts(visitor: Visitor, view: EventView): Html {
  const { words: w, language } = visitor;
  return html`${[...view.story.attempts].reverse().map((attempt) => html`<details id="attempt-${attempt.number}"><summary>${w.attempt} ${attempt.number}: ${named(language, attempt.outcome)} ${attempt.error?.code}${replayedBy(visitor, attempt, view)}</summary>${attemptView(visitor, attempt, view.now)}</details>`)}`;
}

/**
 * Who had this attempt made, if it was a person: the act lies between the attempt before and this attempt.
 */
function replayedBy({ words: w }: Visitor, attempt: Attempt, { story, acts }: EventView): string | null {
  const before = story.attempts.find(({ number }) => number === attempt.number - 1);
  const act = acts.find(
    ({ verb, at }) =>
      (verb === 'requeue' || verb === 'settle-not-done') &&
      at <= new Date(attempt.startedAt) &&
      (!before || at >= new Date(before.finishedAt ?? before.startedAt)),
  );
  return act ? ` · ${w.replayedBy} ${act.actor}` : null;
}

function attemptView(visitor: Visitor, attempt: Attempt, now: Date): Html {
  const { words: w, language } = visitor;
  const at = (text: string | null): Html => time(text === null ? null : new Date(text), now, language);
  return html`<dl><dt>${w.started}</dt><dd>${at(attempt.startedAt)}</dd><dt>${w.settled}</dt><dd>${at(attempt.finishedAt)}</dd><dt>${w.outcome}</dt><dd>${named(language, attempt.outcome)}</dd>
${attempt.error && html`<dt>${w.error}</dt><dd>${attempt.error.code}: ${attempt.error.message}</dd>`}<dt>${w.decision}</dt><dd>${attempt.decision ?? '…'}</dd><dt>${w.trigger}</dt><dd>${attempt.trigger}</dd><dt>${w.worker}</dt><dd>${attempt.worker}</dd></dl>
${attempt.exchanges.map((exchange, i) => exchangeView(visitor, exchange, i))}`;
}
