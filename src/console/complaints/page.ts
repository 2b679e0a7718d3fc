import { type Complaint, complaintStates } from '../../entities/complaint.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import { option } from '../parts/fields.js';
import { table } from '../parts/table.js';
import { points, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export interface ComplaintsView {
  readonly state: string | undefined;
  readonly rows: readonly Complaint[];
  readonly nextId: string | null;
  readonly now: Date;
}

/** The queue: what waits for a person, the longest first. With a state: those, newest first. */
export function complaintsPage(visitor: Visitor, { state, rows, nextId, now }: ComplaintsView): Html {
  const { words: w, language } = visitor;
  return html`
<form class="filters" action="/console/complaints"><label>${w.state}<br><select name="state">${option('', w.complaintsWaiting, state)}${complaintStates.map((known) => option(known, named(language, known), state))}</select></label><button>${w.filter}</button></form>
${rows.length === 0 ? html`<p>${state ? w.nothingFound : w.noComplaint}</p>` : complaintTable(visitor, rows, now)}
<p>${nextId && html`<a href="/console/complaints?state=${state}&amp;beforeId=${nextId}">${w.older}</a>`}</p>`;
}

function complaintTable({ words: w, language }: Visitor, rows: readonly Complaint[], now: Date): Html {
  return table(
    w.complaints,
    [w.complaint, w.state, w.waitsSince, w.order, w.complaintKind, w.wanted, w.granted, w.created],
    rows.map(
      ({ id, state, stateAt, orderId, orderNo, kind, wantedInCent, grantedInCent, createdAt }) =>
        html`<tr><td><a href="/console/complaints/${id}">#${id}</a></td><td>${named(language, state)}</td><td>${time(stateAt, now, language)}</td><td><a href="/console/orders/${orderId}">${orderNo}</a></td><td>${named(language, kind)}</td><td>${points(wantedInCent)}</td><td>${grantedInCent === null ? '—' : points(grantedInCent)}</td><td>${time(createdAt, now, language)}</td></tr>`,
    ),
  );
}
