import type { OperatorAction } from '../../entities/operator-action.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import type { Visitor } from '../session.js';
import { table } from './table.js';
import { time } from './text.js';

const SHOWN_MAX = 160;

export function auditTable(visitor: Visitor, rows: readonly OperatorAction[], now: Date): Html {
  const { words: w, language } = visitor;
  return table(
    w.audit,
    [w.when, w.who, w.what, w.target, w.reason, w.result],
    rows.map(
      (row) =>
        html`<tr><td>${time(row.at, now, language)}</td><td>${row.actor} (${row.role})${row.ip && html`<br><small>${row.ip}</small>`}</td><td>${named(language, row.verb)}</td><td>${target(row)}</td><td>${row.reason}</td><td><code>${shortened(row.stateBefore)} → ${shortened(row.stateAfter)}</code></td></tr>`,
    ),
  );
}

function target({ targetType, targetId }: OperatorAction): Html {
  if (!['event', 'order', 'cause', 'complaint'].includes(targetType)) return html`${targetType} ${targetId}`;
  return html`<a href="/console/${targetType}s/${targetId}">${targetType} ${targetId}</a>`;
}

function shortened(text: string | null): string {
  if (text === null || text === '{}') return '—';
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
