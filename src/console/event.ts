import type { AlertGroup } from '../alerts/group.js';
import type { OperatorAction } from '../entities/operator-action.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import type { Why } from '../operate/why.js';
import type { readEvent } from '../orders/event-story.js';
import type { OrderView } from '../orders/view.js';
import type { EventHandler, Exchange } from '../outbox/types.js';
import { diffLines } from './diff.js';
import { type Html, html } from './html.js';
import { auditTable, manyText, shadeOf, stateMark } from './lists.js';
import type { Visitor } from './session.js';
import { named } from './story-words.js';
import { points, time, whyText } from './text.js';
import { typeWordsOf } from './words.js';

type Story = NonNullable<Awaited<ReturnType<typeof readEvent>>>;
type Attempt = Story['attempts'][number];

export interface EventPage {
  readonly event: OutboxEvent;
  readonly story: Story;
  readonly why: Why;
  /** Why it may not be discarded; null: it may. */
  readonly notDiscardable: string | null;
  readonly order: OrderView | null;
  /** Errored events of the same cause, this one included. */
  readonly sameCause: number;
  readonly group: AlertGroup | null;
  readonly acts: readonly OperatorAction[];
  readonly handler: EventHandler | undefined;
  /** The last two answers side by side. */
  readonly compare: boolean;
  readonly links: { readonly trace: string | undefined; readonly log: string | undefined };
  readonly now: Date;
}

/** What is wrong, for whom, what happens next and what to do about it: first the answer, then the evidence. */
export function eventPage(visitor: Visitor, page: EventPage): Html {
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

/** The recommended one first; what the state does not allow is not there at all. */
function actions(visitor: Visitor, { event, handler, group, notDiscardable }: EventPage): Html {
  const { words: w, mayAct, formToken, language } = visitor;
  if (!mayAct) return html`<p class="soft">${w.viewerOnly}</p>`;
  const unknown = event.outcome === 'unknown' || event.unknownAt !== null;
  const errored = event.status === 'errored';
  const form = (
    act: string,
    title: string,
    help: string,
    options: { reason: boolean; danger?: boolean; first?: boolean },
  ): Html => html`<li><form action="/console/events/${event.id}/${act}" method="post">
<input type="hidden" name="form" value="${formToken}"><input type="hidden" name="attempt" value="${event.attempt}">
<button class="${options.first ? 'first' : ''} ${options.danger ? 'danger' : ''}">${title}</button><small>${help}</small>
${options.reason && html`<label>${w.reason}<br><input name="reason" required maxlength="500"></label>`}</form></li>`;
  const acts: Html[] = [];
  if (handler?.ask && unknown) acts.push(form('ask', w.ask, w.askHelp, { reason: false, first: errored }));
  if (errored)
    acts.push(
      form(
        'requeue',
        w.requeue,
        `${w.requeueHelp} ${typeWordsOf(language, event.type).repeatable ? w.idempotentYes : w.idempotentNo}`,
        {
          reason: true,
          first: !unknown,
        },
      ),
    );
  if (handler?.ask && !unknown) acts.push(form('ask', w.ask, w.askHelp, { reason: false }));
  if (errored) acts.push(form('settle-done', w.settleDone, w.settleDoneHelp, { reason: true }));
  if (errored && unknown)
    acts.push(form('settle-not-done', w.settleNotDone, w.settleNotDoneHelp, { reason: true }));
  if (errored || (event.status === 'pending' && event.leaseUntil === null))
    acts.push(
      notDiscardable === null
        ? form('discard', w.discard, w.discardHelp, { reason: true, danger: true })
        : html`<li><small>${w.notDiscardable}: ${notDiscardable}</small></li>`,
    );
  if (handler && (errored || event.status === 'pending')) {
    const pauseForm = (
      scope: 'target' | 'type',
      name: string,
      title: string,
    ): Html => html`<li><form action="/console/controls/pause" method="post">
<input type="hidden" name="form" value="${formToken}"><input type="hidden" name="scope" value="${scope}"><input type="hidden" name="name" value="${name}"><input type="hidden" name="back" value="/console/events/${event.id}">
<button class="danger">${title}: ${scope === 'type' ? typeWordsOf(language, name).name : name}</button><label>${w.minutes}<br><input name="minutes" type="number" min="1" max="1440" value="30" required></label><label>${w.reason}<br><input name="reason" required maxlength="500"></label></form></li>`;
    acts.push(
      pauseForm('target', handler.definition.target, w.pauseTarget),
      pauseForm('type', event.type, w.pauseType),
    );
  }
  if (group?.status === 'open' && !group.known)
    acts.push(
      html`<li><form action="/console/causes/${group.id}/know" method="post"><input type="hidden" name="form" value="${formToken}"><button>${w.know}</button><small>${w.knowHelp}</small><label>${w.reason}<br><input name="reason" required maxlength="500"></label></form></li>`,
    );
  if (acts.length === 0) return html``;
  const [first, ...others] = acts;
  return html`<h2>${w.actions}</h2><ul class="acts">${first}</ul>${others.length > 0 && html`<details id="more-acts"><summary>${w.moreActions} (${others.length})</summary><ul class="acts">${others}</ul></details>`}`;
}

/** Who had this attempt made, if it was a person. */
function replayed(
  { words: w }: Visitor,
  one: Attempt,
  story: Story,
  acts: readonly OperatorAction[],
): string | null {
  const before = story.attempts.find(({ number }) => number === one.number - 1);
  const act = acts.find(
    ({ verb, at }) =>
      (verb === 'requeue' || verb === 'settle-not-done') &&
      at <= new Date(one.startedAt) &&
      (!before || at >= new Date(before.finishedAt ?? before.startedAt)),
  );
  return act ? ` · ${w.replayedBy} ${act.actor}` : null;
}

/** What a person on a phone needs first: the last call that was made, short. Everything else about it is one click away. */
function lastAttempt({ words: w, language }: Visitor, one: Attempt, now: Date): Html {
  const exchange = one.exchanges.at(-1);
  return html`<p>${w.attempt} ${one.number}, ${named(language, one.outcome)}, ${time(new Date(one.startedAt), now, language)}: ${one.decision ?? '…'}</p>
${exchange ? html`<div class="short">${exchangeView({ words: w, language }, exchange, one.exchanges.length - 1, 'h3')}</div>` : html`<p>—</p>`}`;
}

function attempt({ words: w, language }: Visitor, one: Attempt, now: Date): Html {
  const at = (text: string | null): Html => (text ? time(new Date(text), now, language) : html`—`);
  return html`<dl><dt>${w.started}</dt><dd>${at(one.startedAt)}</dd><dt>${w.settled}</dt><dd>${at(one.finishedAt)}</dd><dt>${w.outcome}</dt><dd>${named(language, one.outcome)}</dd>
${one.error && html`<dt>${w.error}</dt><dd>${one.error.code}: ${one.error.message}</dd>`}<dt>${w.decision}</dt><dd>${one.decision ?? '…'}</dd><dt>${w.trigger}</dt><dd>${one.trigger}</dd><dt>${w.worker}</dt><dd>${one.worker}</dd></dl>
${one.exchanges.map((exchange, i) => exchangeView({ words: w, language }, exchange, i, 'h3'))}`;
}

/** One call: what was asked, what came back. */
export function exchangeView(
  { words: w }: Pick<Visitor, 'words' | 'language'>,
  exchange: Exchange,
  i: number,
  heading: 'h3' | 'h4',
): Html {
  const title = html`${i + 1}. ${exchange.call} <small>${Math.round(exchange.durationMs)} ms, ${exchange.outcome} ${exchange.code}</small>`;
  const headersOf = (of: Readonly<Record<string, string>> | undefined): string =>
    Object.entries(of ?? {})
      .map(([name, value]) => `${name}: ${value}\n`)
      .join('');
  return html`${heading === 'h3' ? html`<h3>${title}</h3>` : html`<h4>${title}</h4>`}
<p>${w.request}: ${exchange.request.method} ${exchange.request.path}</p>${exchange.request.body !== null && html`<pre tabindex="0">${exchange.request.body}</pre>`}
<p>${w.answer}: ${exchange.answer?.status ?? w.noAnswer}</p>${exchange.answer?.body && html`<pre tabindex="0">${exchange.answer.body}</pre>`}
<details class="plain"><summary>${w.headers}, curl</summary><pre tabindex="0">${headersOf(exchange.request.headers)}</pre><pre tabindex="0">${headersOf(exchange.answer?.headers)}</pre><p>${w.asCurl}:</p><pre tabindex="0">${curlOf(exchange)}</pre></details>`;
}

/** The call for a terminal. What is secret is a variable to be set. */
function curlOf({ request }: Exchange): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const headers = Object.entries(request.headers ?? {}).map(
    ([name, value]) =>
      ` \\\n  -H ${value === '***' ? `"${name}: $${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}"` : quoted(`${name}: ${value}`)}`,
  );
  return `curl -X ${request.method} "$BASE_URL"${quoted(request.path)}${headers.join('')}${request.body === null ? '' : ` \\\n  --data-raw ${quoted(request.body)}`}`;
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

/** The last answer against the one before, line by line. */
function comparison({ words: w }: Visitor, story: Story): Html {
  const [before, last] = story.attempts.slice(-2);
  if (!before || !last) return html``;
  const textOf = (one: Attempt): string =>
    `${one.answer?.status ?? w.noAnswer}\n${pretty(one.answer?.body ?? '')}`;
  return html`<h2 id="compare">${w.compare}: ${before.number} → ${last.number}</h2><pre tabindex="0">${diffLines(textOf(before), textOf(last)).map(({ sign, text }) => (sign === ' ' ? html`  ${text}\n` : sign === '+' ? html`<ins>+ ${text}</ins>\n` : html`<del>- ${text}</del>\n`))}</pre>`;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** An event that is past its retention: what people did about it is still known. */
export function goneEvent({ words: w, language }: Visitor, acts: readonly OperatorAction[], now: Date): Html {
  return html`<p>${w.gone}</p>${acts.length === 0 ? html`<p>—</p>` : auditTable(w, language, acts, now)}`;
}
