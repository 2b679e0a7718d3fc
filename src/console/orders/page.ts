import type { BoxOrder } from '../../entities/box-order.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import type { Listed } from '../parts/listed.js';
import { table } from '../parts/table.js';
import { points, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

type Filter = Readonly<Record<string, string | undefined>>;

export function ordersPage(
  visitor: Visitor,
  filter: Filter,
  { rows, nextId }: Listed<BoxOrder>,
  now: Date,
): Html {
  const { words: w } = visitor;
  return html`
<form class="filters" action="/console/orders"><label>${w.user}<br><input name="userId" value="${filter.userId}"></label><label>yyyy-MM-dd<br><input name="edibleDate" value="${filter.edibleDate}" pattern="\\d{4}-\\d{2}-\\d{2}"></label><button>${w.filter}</button></form>
${rows.length === 0 ? html`<p>${w.nothingFound}</p>` : orderTable(visitor, rows, now)}
<p>${nextId && html`<a href="${addressOf(filter, nextId)}">${w.older}</a>`}</p>`;
}

function orderTable({ words: w, language }: Visitor, rows: readonly BoxOrder[], now: Date): Html {
  return table(
    w.orders,
    [w.order, w.status, w.refund, w.meal, w.price, w.user, w.created],
    rows.map(
      (order) =>
        html`<tr><td><a href="/console/orders/${order.id}">${order.orderNo}</a></td><td>${named(language, order.status)}</td><td>${named(language, order.refund)}</td><td>${order.edibleDate} ${order.mealType}<br>${order.dishName}</td><td>${points(order.priceInCent)}</td><td>${order.userId}</td><td>${time(order.createdAt, now, language)}</td></tr>`,
    ),
  );
}

function addressOf(filter: Filter, beforeId: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, beforeId })) if (value) query.set(name, value);
  return `/console/orders?${query.toString()}`;
}
