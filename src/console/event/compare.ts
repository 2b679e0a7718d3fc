import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';
import { diffLines } from './diff.js';
import type { Attempt, Story } from './view.js';

/** The last answer against the one before, line by line. */
export function comparison({ words: w }: Visitor, story: Story): Html {
  const [before, last] = story.attempts.slice(-2);
  if (!before || !last) return html``;
  const textOf = (one: Attempt): string =>
    `${one.answer?.status ?? w.noAnswer}\n${pretty(one.answer?.body ?? '')}`;
  return html`<h2 id="compare">${w.compare}: ${before.number} → ${last.number}</h2><pre tabindex="0">${diffLines(textOf(before), textOf(last)).map(({ sign, text }) => (sign === ' ' ? html`  ${text}\n` : sign === '+' ? html`<ins>+ ${text}</ins>\n` : html`<del>- ${text}</del>\n`))}</pre>`;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
