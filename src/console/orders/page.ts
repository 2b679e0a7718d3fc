import type { BoxOrder } from '../../entities/box-order.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import type { Listed } from '../parts/listed.js';
import { points, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export function ordersPage(
  { words: w, language }: Visitor,
  filter: Record<string, string | undefined>,
  { rows, nextId }: Listed<BoxOrder>,
  now: Date,
): Html {
  const query = (beforeId: string): string =>
    `/console/orders?${new URLSearchParams(Object.entries({ ...filter, beforeId }).filter((pair): pair is [string, string] => Boolean(pair[1]))).toString()}`;
  return html`
<form class="filters" action="/console/orders"><label>${w.user}<br><input name="userId" value="${filter.userId}"></label><label>yyyy-MM-dd<br><input name="edibleDate" value="${filter.edibleDate}" pattern="\\d{4}-\\d{2}-\\d{2}"></label><button>${w.filter}</button></form>
${
  rows.length === 0
    ? html`<p>${w.nothingFound}</p>`
    : html`<div class="wide" tabindex="0" role="region" aria-label="${w.orders}"><table><thead><tr><th scope="col">${w.order}</th><th scope="col">${w.status}</th><th scope="col">${w.refund}</th><th scope="col">${w.meal}</th><th scope="col">${w.price}</th><th scope="col">${w.user}</th><th scope="col">${w.created}</th></tr></thead><tbody>
${rows.map(
  (order) =>
    html`<tr><td><a href="/console/orders/${order.id}">${order.orderNo}</a></td><td>${named(language, order.status)}</td><td>${named(language, order.refund)}</td><td>${order.edibleDate} ${order.mealType}<br>${order.dishName}</td><td>${points(order.priceInCent)}</td><td>${order.userId}</td><td>${time(order.createdAt, now, language)}</td></tr>`,
)}</tbody></table></div>`
}
<p>${nextId && html`<a href="${query(nextId)}">${w.older}</a>`}</p>`;
}
