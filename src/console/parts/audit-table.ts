import type { OperatorAction } from '../../entities/operator-action.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import type { Visitor } from '../session.js';
import { time } from './text.js';

export function auditTable(
  w: Visitor['words'],
  language: Visitor['language'],
  rows: readonly OperatorAction[],
  now: Date,
): Html {
  const change = (row: OperatorAction): Html =>
    html`<code>${shorten(row.stateBefore)} → ${shorten(row.stateAfter)}</code>`;
  const target = (row: OperatorAction): Html =>
    row.targetType === 'event' || row.targetType === 'order' || row.targetType === 'cause'
      ? html`<a href="/console/${row.targetType}s/${row.targetId}">${row.targetType} ${row.targetId}</a>`
      : html`${row.targetType} ${row.targetId}`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.audit}"><table><thead><tr><th scope="col">${w.when}</th><th scope="col">${w.who}</th><th scope="col">${w.what}</th><th scope="col">${w.target}</th><th scope="col">${w.reason}</th><th scope="col">${w.result}</th></tr></thead><tbody>
${rows.map((row) => html`<tr><td>${time(row.at, now, language)}</td><td>${row.actor} (${row.role})${row.ip && html`<br><small>${row.ip}</small>`}</td><td>${named(language, row.verb)}</td><td>${target(row)}</td><td>${row.reason}</td><td>${change(row)}</td></tr>`)}</tbody></table></div>`;
}

const SHOWN_MAX = 160;

function shorten(text: string | null): string {
  if (text === null || text === '{}') return '—';
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
