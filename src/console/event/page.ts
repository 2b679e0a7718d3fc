import type { OperatorAction } from '../../entities/operator-action.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import { typeWordsOf } from '../locales/event-types.js';
import { auditTable } from '../parts/audit-table.js';
import { shadeOf, stateMark } from '../parts/state.js';
import { manyText, points, time } from '../parts/text.js';
import { whyText } from '../parts/why-text.js';
import type { Visitor } from '../session.js';
import { actForms } from './act-forms.js';
import { allAttempts, lastAttempt } from './attempts.js';
import { comparison } from './compare.js';
import { links } from './links.js';
import type { EventView } from './view.js';

/**
 * What is wrong, for whom, what happens next and what to do about it: first the answer, then the evidence.
 */
export function eventPage(visitor: Visitor, view: EventView): Html {
  const { words: w } = visitor;
  const { story, acts, now } = view;
  const last = story.attempts.at(-1);
  return html`
${summary(visitor, view)}
${actForms(visitor, view)}
${vendorAnswer(visitor, view)}
<h2>${w.lastAttempt}</h2>
${last ? lastAttempt(visitor, last, now) : html`<p>—</p>`}
${links(w, view)}
${view.compare && comparison(visitor, story)}
<h2>${w.allAttempts} (${story.attempts.length})</h2>
${allAttempts(visitor, view)}
${aboutType(visitor, view)}
<h2>${w.audit}</h2>
${acts.length === 0 ? html`<p>—</p>` : auditTable(visitor, acts, now)}`;
}

function summary({ words: w, language }: Visitor, view: EventView): Html {
  const { event, order, why, now } = view;
  return html`<p>${stateMark(w, shadeOf(event))} <strong>${typeWordsOf(language, event.type).name}</strong> <small>${event.type}</small></p>
<dl>
<dt>${w.why}</dt><dd>${whyText(language, why)}</dd>
${why.nextAt && html`<dt>${w.next}</dt><dd>${time(why.nextAt, now, language)}</dd>`}
${event.lastErrorCode && html`<dt>${w.error}</dt><dd><strong>${event.lastErrorCode}</strong> ${event.lastErrorMessage}</dd>`}
<dt>${w.order}</dt><dd>${order ? html`<a href="/console/orders/${order.id}">${order.orderNo}</a> ${named(language, order.status)}, ${order.edibleDate} ${order.mealType}` : (event.subjectNo ?? '—')}</dd>
${order && html`<dt>${w.moneyAndStock}</dt><dd>${points(order.priceInCent)} ${w.paid}, ${w.refund} ${named(language, order.refund)}</dd>`}
${sameCause(w, view)}
</dl>`;
}

function sameCause(w: Visitor['words'], { event, sameCause, group }: EventView): Html | null {
  if (!event.cause) return null;
  return html`<dt>${w.sameCause}</dt><dd><a href="/console/events?state=errored&amp;cause=${encodeURIComponent(event.cause)}">${manyText(sameCause)}</a>${group && html` · <a href="/console/causes/${group.id}">${w.alertGroup}</a>`}</dd>`;
}

/** What the vendor said when a person last asked about this event. */
function vendorAnswer({ words: w, language }: Visitor, { acts, now }: EventView): Html | null {
  const asked = acts.find(({ verb }) => verb === 'ask');
  if (!asked) return null;
  return html`<h2>${w.askedAt}</h2><p class="note">${findingOf(asked)} <br>${time(asked.at, now, language)}, ${asked.actor}</p>`;
}

function findingOf(act: OperatorAction): string {
  try {
    const { finding } = JSON.parse(act.stateAfter ?? '{}') as { finding?: { outcome: string; text: string } };
    return finding ? `${finding.outcome}: ${finding.text}` : '—';
  } catch {
    return '—';
  }
}

function aboutType({ words: w, language }: Visitor, { event, now }: EventView): Html {
  const about = typeWordsOf(language, event.type);
  return html`<h2>${w.whatItDoes}</h2>
<dl><dt>${w.whatItDoes}</dt><dd>${about.does}</dd><dt>${w.ifNever}</dt><dd>${about.ifNever}</dd><dt>${w.affected}</dt><dd>${about.affects}</dd><dt>${w.created}</dt><dd>${time(event.createdAt, now, language)}</dd>${event.settledAt && html`<dt>${w.settled}</dt><dd>${time(event.settledAt, now, language)}</dd>`}</dl>`;
}

/** An event that is past its retention: what people did about it is still known. */
export function goneEvent(visitor: Visitor, acts: readonly OperatorAction[], now: Date): Html {
  return html`<p>${visitor.words.gone}</p>${acts.length === 0 ? html`<p>—</p>` : auditTable(visitor, acts, now)}`;
}
