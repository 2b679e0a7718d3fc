import { type Html, html } from '../html.js';
import { hiddenFields } from '../parts/fields.js';
import type { Visitor } from '../session.js';
import type { ComplaintPageView } from './view.js';

/** What a manager may decide in the complaint's state. */
export function decisionForms(visitor: Visitor, { view, needsInspection }: ComplaintPageView): Html {
  const { words: w } = visitor;
  switch (view.state) {
    case 'APPLIED':
      return html`${form(visitor, view.id, 'review', acceptance(visitor, view.wantedInCent))}${form(visitor, view.id, 'review', rejection(visitor))}`;
    case 'ACCEPTED':
      return needsInspection
        ? form(visitor, view.id, 'returned', html`<button>${w.boxReturned}</button>`)
        : approval(visitor, view.id);
    case 'RETURNED':
      return html`${inspection(visitor, view.id, 'true', w.confirmed)}${inspection(visitor, view.id, 'false', w.notConfirmed)}`;
    case 'INSPECTED':
      return approval(visitor, view.id);
    case 'APPROVED':
    case 'REFUNDED':
    case 'REJECTED':
      return html``;
  }
}

function form(visitor: Visitor, id: string, name: string, content: Html): Html {
  return html`<form action="/console/complaints/${id}/${name}" method="post">${hiddenFields(visitor)}${content}</form>`;
}

function acceptance({ words: w }: Visitor, wantedInCent: number): Html {
  return html`<strong>${w.reviewComplaint}</strong><input type="hidden" name="verdict" value="accept"><label>${w.granted} (1/100)<br><input name="grantedInCent" type="number" min="1" placeholder="${wantedInCent}"> <small>${w.grantedHelp}</small></label>${noteField(w)}<button>${w.accept}</button>`;
}

function rejection({ words: w }: Visitor): Html {
  return html`<strong>${w.reviewComplaint}</strong><input type="hidden" name="verdict" value="reject">${noteField(w)}<button>${w.reject}</button>`;
}

function inspection(visitor: Visitor, id: string, ok: 'true' | 'false', text: string): Html {
  const fields = html`<strong>${visitor.words.inspectBox}</strong><input type="hidden" name="ok" value="${ok}">${noteField(visitor.words)}<button>${text}</button>`;
  return form(visitor, id, 'inspect', fields);
}

function approval(visitor: Visitor, id: string): Html {
  const { words: w } = visitor;
  return form(
    visitor,
    id,
    'approve',
    html`${noteField(w)}<button>${w.approveRefund}</button> <small>${w.secondPerson}</small>`,
  );
}

function noteField(w: Visitor['words']): Html {
  return html`<label>${w.note}<br><input name="note" required maxlength="500"></label>`;
}
