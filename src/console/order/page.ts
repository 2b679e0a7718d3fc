import type { readTimeline } from '../../orders/timeline.js';
import type { OrderWhy } from '../../orders/why.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import { typeWordsOf } from '../locales/event-types.js';
import { hiddenFields } from '../parts/fields.js';
import { points, time } from '../parts/text.js';
import { whyText } from '../parts/why-text.js';
import type { Visitor } from '../session.js';
import { timelineItem } from './timeline.js';

/** What is shown only after a click that the audit keeps. */
export interface Person {
  readonly realName: string;
  readonly email: string;
}

export interface OrderView {
  readonly story: Awaited<ReturnType<typeof readTimeline>>;
  readonly why: OrderWhy;
  readonly person: Person | null;
  readonly now: Date;
}

/** One order: what it is now, then everything that ever happened to it, oldest first. */
export function orderPage(visitor: Visitor, view: OrderView): Html {
  const { words: w } = visitor;
  const { story, now } = view;
  return html`
${facts(visitor, view)}
<h2>${w.why}</h2>
${openEvents(visitor, view)}
<h2>${w.timeline}</h2>
<ol class="story">${story.timeline.map((entry, i) => timelineItem(visitor, entry, i, now))}</ol>`;
}

function facts(visitor: Visitor, view: OrderView): Html {
  const { words: w, language } = visitor;
  const { order } = view.story;
  return html`<dl><dt>${w.status}</dt><dd><strong>${named(language, order.status)}</strong></dd><dt>${w.meal}</dt><dd>${order.edibleDate} ${order.mealType}, ${order.dishName}</dd><dt>${w.moneyAndStock}</dt><dd>${points(order.priceInCent)}, ${w.refund} ${named(language, order.refund)}${order.grantedInCent > 0 && html`, ${w.granted} ${points(order.grantedInCent)}`}</dd>
<dt>${w.user}</dt><dd><a href="/console/orders?userId=${encodeURIComponent(order.userId)}">${order.userId}</a></dd>
<dt>${w.name}, ${w.email}</dt><dd>${personOf(visitor, view)}</dd>
<dt>Meican</dt><dd>${order.meicanOrderId ?? '—'}</dd><dt>${w.cabinet}</dt><dd>${order.addressId}</dd><dt>${w.fulfilment}</dt><dd>${named(language, order.fulfilment)}</dd></dl>`;
}

function personOf(visitor: Visitor, { person, story }: OrderView): Html {
  const { words: w, mayAct } = visitor;
  if (person) return html`<strong>${person.realName}</strong>, ${person.email}`;
  if (!mayAct) return html`***`;
  return html`*** <form class="inline" action="/console/orders/${story.order.id}/reveal" method="post">${hiddenFields(visitor)}<button>${w.reveal}</button> <small>${w.revealHelp}</small></form>`;
}

function openEvents({ words: w, language }: Visitor, { why: { events, complaint }, now }: OrderView): Html {
  if (events.length === 0 && !complaint) return html`<p>${w.nothingMore}</p>`;
  const open =
    complaint &&
    html`<li><a href="/console/complaints/${complaint.id}">${w.complaint} #${complaint.id}</a>: ${named(language, complaint.state)}, ${time(complaint.since, now, language)}</li>`;
  return html`<ul>${open}${events.map(({ id, type, why }) => html`<li><a href="/console/events/${id}">${typeWordsOf(language, type).name} #${id}</a>: ${whyText(language, why)}</li>`)}</ul>`;
}
