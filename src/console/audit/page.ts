import type { OperatorAction } from '../../entities/operator-action.js';
import { type Html, html } from '../html.js';
import { auditTable } from '../parts/audit-table.js';
import type { Listed } from '../parts/listed.js';
import type { Visitor } from '../session.js';

export function auditPage(visitor: Visitor, { rows, nextId }: Listed<OperatorAction>, now: Date): Html {
  const { words: w } = visitor;
  return html`${rows.length === 0 ? html`<p>${w.nothingFound}</p>` : auditTable(visitor, rows, now)}
<p>${nextId && html`<a href="/console/audit?beforeId=${nextId}">${w.older}</a>`}</p>`;
}
