import { type Html, html } from '../html.js';
import type { Words } from '../locales/zh.js';
import type { Visitor } from '../session.js';
import { type DiffLine, diffLines } from './diff.js';
import type { Attempt, Story } from './view.js';

/** The last answer against the one before, line by line. */
export function comparison({ words: w }: Visitor, { attempts }: Story): Html | null {
  const [before, last] = attempts.slice(-2);
  if (!before || !last) return null;
  return html`<h2 id="compare">${w.compare}: ${before.number} → ${last.number}</h2><pre tabindex="0">${diffLines(textOf(w, before), textOf(w, last)).map(lineView)}</pre>`;
}

function lineView({ sign, text }: DiffLine): Html {
  if (sign === '+') return html`<ins>+ ${text}</ins>\n`;
  if (sign === '-') return html`<del>- ${text}</del>\n`;
  return html`  ${text}\n`;
}

function textOf(w: Words, { answer }: Attempt): string {
  return `${answer?.status ?? w.noAnswer}\n${pretty(answer?.body ?? '')}`;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
