import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import { points, time } from '../parts/text.js';
import type { Visitor } from '../session.js';
import { decisionForms } from './forms.js';
import type { ComplaintPageView } from './view.js';

/** One complaint: what the diner says, what was decided, and what may be decided next. */
export function complaintPage(visitor: Visitor, page: ComplaintPageView): Html {
  const { words: w } = visitor;
  return html`
${facts(visitor, page)}
<h2>${w.complaintText}</h2>
<pre tabindex="0">${page.view.text}</pre>
<h2>${w.decided}</h2>
${decided(visitor, page)}
${visitor.mayReview && html`<div class="acts">${decisionForms(visitor, page)}</div>`}`;
}

function facts({ words: w, language }: Visitor, { complaint, view, now }: ComplaintPageView): Html {
  const { orderId, orderNo, kind, wantedInCent, grantedInCent, state } = view;
  return html`<dl><dt>${w.state}</dt><dd><strong>${named(language, state)}</strong>, ${time(complaint.stateAt, now, language)}</dd>
<dt>${w.order}</dt><dd><a href="/console/orders/${orderId}">${orderNo}</a></dd><dt>${w.user}</dt><dd>${complaint.userId}</dd>
<dt>${w.complaintKind}</dt><dd>${named(language, kind)}</dd><dt>${w.wanted}</dt><dd>${points(wantedInCent)}</dd><dt>${w.granted}</dt><dd>${grantedInCent === null ? '—' : points(grantedInCent)}</dd>
<dt>${w.created}</dt><dd>${time(complaint.createdAt, now, language)}</dd></dl>`;
}

function decided({ language }: Visitor, { view, now }: ComplaintPageView): Html {
  if (view.reviews.length === 0) return html`<p>—</p>`;
  return html`<ol class="story">${view.reviews.map(({ at, by, verdict, note }) => html`<li>${time(new Date(at), now, language)} <strong>${named(language, verdict)}</strong> ${by}${note && html`: ${note}`}</li>`)}</ol>`;
}
