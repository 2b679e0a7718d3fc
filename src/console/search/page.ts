import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';
import type { Hit } from './search.js';

export function searchPage({ words: w }: Visitor, text: string, hits: readonly Hit[]): Html {
  if (hits.length === 0) return html`<p>${w.nothingFound} <q>${text}</q></p>`;
  return html`<ul>${hits.map((hit) => html`<li><a href="/console/${hit.kind}s/${hit.id}">${hit.kind === 'order' ? w.order : w.events} ${hit.id}</a> ${hit.what}</li>`)}</ul>`;
}
