import type { readTimeline } from '../orders/timeline.js';
import { type Html, html } from './html.js';
import type { Visitor } from './session.js';
import { points, time } from './text.js';
import { typeWordsOf } from './words.js';

type Story = Awaited<ReturnType<typeof readTimeline>>;

/** One order: what it is now, then everything that ever happened to it, oldest first. */
export function orderPage({ words: w, language }: Visitor, { order, timeline }: Story, now: Date): Html {
  return html`
<dl><dt>${w.status}</dt><dd><strong>${order.status}</strong></dd><dt>${w.meal}</dt><dd>${order.edibleDate} ${order.mealType}, ${order.dishName}</dd><dt>${w.moneyAndStock}</dt><dd>${points(order.priceInCent)}, ${w.refund} ${order.refund}</dd>
<dt>${w.user}</dt><dd><a href="/console/orders?userId=${encodeURIComponent(order.userId)}">${order.userId}</a></dd><dt>Meican</dt><dd>${order.meicanOrderId ?? '—'}</dd><dt>${w.cabinet}</dt><dd>${order.addressId}</dd></dl>
<h2>${w.timeline}</h2>
<ol class="story">${timeline.map((entry) => html`<li>${time(new Date(entry.at), now, language)} ${entryText(entry, language)}</li>`)}</ol>`;
}

function entryText(entry: Story['timeline'][number], language: Visitor['language']): Html {
  const { detail } = entry;
  const eventId = typeof detail.eventId === 'string' ? detail.eventId : null;
  const name = entry.kind === 'attempt' || entry.kind.startsWith('event') ? typeWordsOf(language, entry.what).name : entry.what;
  const { exchanges, ...rest } = detail as Record<string, unknown> & { exchanges?: unknown[] };
  return html`<small>${entry.kind}</small> <strong>${name}</strong>${eventId && html` <a href="/console/events/${eventId}${typeof detail.number === 'number' ? `#attempt-${detail.number}` : ''}">#${eventId}</a>`}
<details><summary>…</summary><pre tabindex="0">${JSON.stringify(rest, null, 2)}</pre>${exchanges && exchanges.length > 0 && html`<pre tabindex="0">${JSON.stringify(exchanges, null, 2)}</pre>`}</details>`;
}
