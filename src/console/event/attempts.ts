import type { OperatorAction } from '../../entities/operator-action.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import { exchangeView } from '../parts/exchange.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';
import type { Attempt, Story } from './view.js';

/** Who had this attempt made, if it was a person. */
export function replayed(
  { words: w }: Visitor,
  one: Attempt,
  story: Story,
  acts: readonly OperatorAction[],
): string | null {
  const before = story.attempts.find(({ number }) => number === one.number - 1);
  const act = acts.find(
    ({ verb, at }) =>
      (verb === 'requeue' || verb === 'settle-not-done') &&
      at <= new Date(one.startedAt) &&
      (!before || at >= new Date(before.finishedAt ?? before.startedAt)),
  );
  return act ? ` · ${w.replayedBy} ${act.actor}` : null;
}

/** What a person on a phone needs first: the last call that was made, short. Everything else about it is one click away. */
export function lastAttempt({ words: w, language }: Visitor, one: Attempt, now: Date): Html {
  const exchange = one.exchanges.at(-1);
  return html`<p>${w.attempt} ${one.number}, ${named(language, one.outcome)}, ${time(new Date(one.startedAt), now, language)}: ${one.decision ?? '…'}</p>
${exchange ? html`<div class="short">${exchangeView({ words: w, language }, exchange, one.exchanges.length - 1, 'h3')}</div>` : html`<p>—</p>`}`;
}

export function attempt({ words: w, language }: Visitor, one: Attempt, now: Date): Html {
  const at = (text: string | null): Html => (text ? time(new Date(text), now, language) : html`—`);
  return html`<dl><dt>${w.started}</dt><dd>${at(one.startedAt)}</dd><dt>${w.settled}</dt><dd>${at(one.finishedAt)}</dd><dt>${w.outcome}</dt><dd>${named(language, one.outcome)}</dd>
${one.error && html`<dt>${w.error}</dt><dd>${one.error.code}: ${one.error.message}</dd>`}<dt>${w.decision}</dt><dd>${one.decision ?? '…'}</dd><dt>${w.trigger}</dt><dd>${one.trigger}</dd><dt>${w.worker}</dt><dd>${one.worker}</dd></dl>
${one.exchanges.map((exchange, i) => exchangeView({ words: w, language }, exchange, i, 'h3'))}`;
}
