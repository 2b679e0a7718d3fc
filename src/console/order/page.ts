import type { readTimeline } from '../../orders/timeline.js';
import type { OrderWhy } from '../../orders/why.js';
import { type Html, html } from '../html.js';
import { named, nameOf } from '../locales/codes.js';
import { typeWordsOf } from '../locales/event-types.js';
import { points, time } from '../parts/text.js';
import { whyText } from '../parts/why-text.js';
import type { Visitor } from '../session.js';

type Story = Awaited<ReturnType<typeof readTimeline>>;

/** What is shown only after a click that the audit keeps. */
export interface Person {
  readonly realName: string;
  readonly email: string;
}

/** One order: what it is now, then everything that ever happened to it, oldest first. */
export function orderPage(
  { words: w, language, mayAct, formToken }: Visitor,
  { order, timeline }: Story,
  reasons: OrderWhy,
  now: Date,
  person: Person | null = null,
): Html {
  return html`
<dl><dt>${w.status}</dt><dd><strong>${named(language, order.status)}</strong></dd><dt>${w.meal}</dt><dd>${order.edibleDate} ${order.mealType}, ${order.dishName}</dd><dt>${w.moneyAndStock}</dt><dd>${points(order.priceInCent)}, ${w.refund} ${named(language, order.refund)}</dd>
<dt>${w.user}</dt><dd><a href="/console/orders?userId=${encodeURIComponent(order.userId)}">${order.userId}</a></dd>
<dt>${w.name}, ${w.email}</dt><dd>${person ? html`<strong>${person.realName}</strong>, ${person.email}` : html`***`}${!person && mayAct && html` <form class="inline" action="/console/orders/${order.id}/reveal" method="post"><input type="hidden" name="form" value="${formToken}"><button>${w.reveal}</button> <small>${w.revealHelp}</small></form>`}</dd>
<dt>Meican</dt><dd>${order.meicanOrderId ?? '—'}</dd><dt>${w.cabinet}</dt><dd>${order.addressId}</dd></dl>
<h2>${w.why}</h2>
${reasons.events.length === 0 ? html`<p>${w.nothingMore}</p>` : html`<ul>${reasons.events.map((event) => html`<li><a href="/console/events/${event.id}">${typeWordsOf(language, event.type).name} #${event.id}</a>: ${whyText(language, event.why)}</li>`)}</ul>`}
<h2>${w.timeline}</h2>
<ol class="story">${timeline.map((entry, i) => html`<li>${time(new Date(entry.at), now, language)} ${entryText(entry, i, w, language)}</li>`)}</ol>`;
}

function entryText(
  entry: Story['timeline'][number],
  i: number,
  w: Visitor['words'],
  language: Visitor['language'],
): Html {
  const { detail } = entry;
  const eventId = typeof detail.eventId === 'string' ? detail.eventId : null;
  const name =
    entry.kind === 'attempt' || entry.kind.startsWith('event')
      ? typeWordsOf(language, entry.what).name
      : nameOf(language, entry.what);
  const { exchanges, ...rest } = detail as Record<string, unknown> & { exchanges?: unknown[] };
  return html`<small>${nameOf(language, entry.kind)}</small> <strong>${name}</strong>${eventId && html` <a href="/console/events/${eventId}${typeof detail.number === 'number' ? `#attempt-${detail.number}` : ''}">#${eventId}</a>`} ${gist(entry, w, language)}
<details class="plain" id="entry-${i}"><summary>${w.evidence}</summary><pre tabindex="0">${JSON.stringify(rest, null, 2)}</pre>${exchanges && exchanges.length > 0 && html`<pre tabindex="0">${JSON.stringify(exchanges, null, 2)}</pre>`}</details>`;
}

interface Move {
  readonly before: number;
  readonly after: number;
}

/** The one line that tells why this entry matters. */
function gist(
  { kind, detail }: Story['timeline'][number],
  w: Visitor['words'],
  language: Visitor['language'],
): string {
  const parts: string[] = [];
  const add = (label: string, value: unknown): void => {
    if (value !== undefined && value !== null && value !== '')
      parts.push(label === '' ? String(value) : `${label} ${String(value)}`);
  };
  const stock = (detail.stock ?? (detail.dish ? detail : null)) as { dish: Move; sideboard: Move } | null;
  const lock = detail.lock as { held: boolean; waitedMs: number } | undefined;
  add('', detail.caller);
  if (lock) add(w.lockWaited, lock.held ? `${lock.waitedMs} ms` : '—');
  if (stock)
    add(
      w.stockMoved,
      `${stock.dish.before} → ${stock.dish.after}; ${w.cabinet} ${stock.sideboard.before} → ${stock.sideboard.after}`,
    );
  if (typeof detail.amountInCent === 'number') add('', points(detail.amountInCent));
  if (kind === 'attempt')
    add('', `${nameOf(language, String(detail.outcome ?? '…'))}: ${String(detail.decision ?? '…')}`);
  if (kind === 'event-settled') add('', detail.status);
  add('', detail.actor ?? detail.operator);
  add('', kind === 'alert' ? detail.cause : undefined);
  add('', detail.finding);
  add('', detail.reason);
  add('', detail.code);
  return parts.join(' · ');
}
