import type { OperatorAction } from '../../entities/operator-action.js';
import type { OutboxEvent } from '../../entities/outbox-event.js';
import { type Html, html } from '../html.js';
import { named } from '../locales/codes.js';
import { typeWordsOf } from '../locales/event-types.js';
import { auditTable } from '../parts/audit-table.js';
import { shadeOf, stateMark } from '../parts/state.js';
import { manyText, points, time } from '../parts/text.js';
import { whyText } from '../parts/why-text.js';
import type { Visitor } from '../session.js';
import { actions } from './acts.js';
import { attempt, lastAttempt, replayed } from './attempts.js';
import { comparison } from './compare.js';
import type { EventView } from './view.js';

/** What is wrong, for whom, what happens next and what to do about it: first the answer, then the evidence. */
export function eventPage(visitor: Visitor, page: EventView): Html {
  const { words: w, language } = visitor;
  const { event, story, order, sameCause, now } = page;
  const about = typeWordsOf(language, event.type);
  const last = story.attempts.at(-1);
  const asked = page.acts.find((act) => act.verb === 'ask');
  return html`
<p>${stateMark(w, shadeOf(event))} <strong>${about.name}</strong> <small>${event.type}</small></p>
<dl>
<dt>${w.why}</dt><dd>${whyText(language, page.why)}</dd>
${page.why.nextAt && html`<dt>${w.next}</dt><dd>${time(page.why.nextAt, now, language)}</dd>`}
${event.lastErrorCode && html`<dt>${w.error}</dt><dd><strong>${event.lastErrorCode}</strong> ${event.lastErrorMessage}</dd>`}
<dt>${w.order}</dt><dd>${order ? html`<a href="/console/orders/${order.id}">${order.orderNo}</a> ${named(language, order.status)}, ${order.edibleDate} ${order.mealType}` : (event.subjectNo ?? '—')}</dd>
${order && html`<dt>${w.moneyAndStock}</dt><dd>${points(order.priceInCent)} ${w.paid}, ${w.refund} ${named(language, order.refund)}</dd>`}
${event.cause && html`<dt>${w.sameCause}</dt><dd><a href="/console/events?state=errored&amp;cause=${encodeURIComponent(event.cause)}">${manyText(sameCause)}</a>${page.group && html` · <a href="/console/causes/${page.group.id}">${w.alertGroup}</a>`}</dd>`}
</dl>
${actions(visitor, page)}
${asked && html`<h2>${w.askedAt}</h2><p class="note">${findingOf(asked)} <br>${time(asked.at, now, language)}, ${asked.actor}</p>`}
<h2>${w.lastAttempt}</h2>
${last ? lastAttempt(visitor, last, now) : html`<p>—</p>`}
<p>${story.attempts.length > 1 && html`<a href="/console/events/${event.id}?compare=1#compare">${w.compareWith}</a> · `}<a href="/console/events/${event.id}/json">${w.json}</a>${page.links.trace && html` · <a href="${filled(page.links.trace, event)}" rel="noreferrer">${w.trace}</a>`}${page.links.log && html` · <a href="${filled(page.links.log, event)}" rel="noreferrer">${w.logs}</a>`}</p>
${page.compare && comparison(visitor, story)}
<h2>${w.allAttempts} (${story.attempts.length})</h2>
${[...story.attempts].reverse().map((one) => html`<details id="attempt-${one.number}"><summary>${w.attempt} ${one.number}: ${named(language, one.outcome)} ${one.error?.code}${replayed(visitor, one, story, page.acts)}</summary>${attempt(visitor, one, now)}</details>`)}
<h2>${w.whatItDoes}</h2>
<dl><dt>${w.whatItDoes}</dt><dd>${about.does}</dd><dt>${w.ifNever}</dt><dd>${about.ifNever}</dd><dt>${w.affected}</dt><dd>${about.affects}</dd><dt>${w.created}</dt><dd>${time(event.createdAt, now, language)}</dd>${event.settledAt && html`<dt>${w.settled}</dt><dd>${time(event.settledAt, now, language)}</dd>`}</dl>
<h2>${w.audit}</h2>
${page.acts.length === 0 ? html`<p>—</p>` : auditTable(w, language, page.acts, now)}`;
}

function findingOf(act: OperatorAction): string {
  try {
    const { finding } = JSON.parse(act.stateAfter ?? '{}') as { finding?: { outcome: string; text: string } };
    return finding ? `${finding.outcome}: ${finding.text}` : '—';
  } catch {
    return '—';
  }
}

function filled(template: string, event: OutboxEvent): string {
  const values: Record<string, string | null | undefined> = {
    trace: event.traceparent?.split('-')[1],
    request: event.requestId,
    order: event.subjectNo,
    event: event.id,
  };
  return template.replace(/\{(trace|request|order|event)\}/g, (_, name: string) =>
    encodeURIComponent(values[name] ?? ''),
  );
}

/** An event that is past its retention: what people did about it is still known. */
export function goneEvent({ words: w, language }: Visitor, acts: readonly OperatorAction[], now: Date): Html {
  return html`<p>${w.gone}</p>${acts.length === 0 ? html`<p>—</p>` : auditTable(w, language, acts, now)}`;
}
