import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { hiddenFields, minutesField, reasonField } from '../parts/fields.js';
import type { Visitor } from '../session.js';
import type { EventView } from './view.js';

/** The recommended act first, the others folded. What the state does not allow is not on the page. */
export function actForms(visitor: Visitor, view: EventView): Html {
  const { words: w, mayAct } = visitor;
  if (!mayAct) return html`<p class="soft">${w.viewerOnly}</p>`;
  const [first, ...others] = [
    ...eventActs(visitor, view),
    ...pauseForms(visitor, view),
    ...knowForm(visitor, view),
  ];
  if (!first) return html``;
  return html`<h2>${w.actions}</h2><ul class="acts">${first}</ul>${others.length > 0 && html`<details id="more-acts"><summary>${w.moreActions} (${others.length})</summary><ul class="acts">${others}</ul></details>`}`;
}

/** In doubt the vendor is asked first; otherwise a failed event is carried out again first. */
function eventActs(visitor: Visitor, view: EventView): Html[] {
  const { words: w, language } = visitor;
  const { event, handler } = view;
  const inDoubt = event.outcome === 'unknown' || event.unknownAt !== null;
  const isErrored = event.status === 'errored';
  const isWaiting = event.status === 'pending' && event.leaseUntil === null;
  const ask = handler?.ask
    ? [actForm(visitor, view, { act: 'ask', title: w.ask, help: w.askHelp, isFirst: inDoubt && isErrored })]
    : [];
  const repeat = typeWordsOf(language, event.type).repeatable ? w.idempotentYes : w.idempotentNo;
  const requeue = { act: 'requeue', title: w.requeue, help: `${w.requeueHelp} ${repeat}`, isFirst: !inDoubt };
  const done = { act: 'settle-done', title: w.settleDone, help: w.settleDoneHelp };
  const notDone = { act: 'settle-not-done', title: w.settleNotDone, help: w.settleNotDoneHelp };
  return [
    ...(inDoubt ? ask : []),
    ...(isErrored ? [actForm(visitor, view, requeue)] : []),
    ...(inDoubt ? [] : ask),
    ...(isErrored ? [actForm(visitor, view, done)] : []),
    ...(isErrored && inDoubt ? [actForm(visitor, view, notDone)] : []),
    ...(isErrored || isWaiting ? [discardForm(visitor, view)] : []),
  ];
}

/** Some types refuse a discard: then the reason stands in the place of the button. */
function discardForm(visitor: Visitor, view: EventView): Html {
  const { words: w } = visitor;
  if (view.notDiscardable !== null)
    return html`<li><small>${w.notDiscardable}: ${view.notDiscardable}</small></li>`;
  return actForm(visitor, view, { act: 'discard', title: w.discard, help: w.discardHelp, isDangerous: true });
}

interface ActForm {
  readonly act: string;
  readonly title: string;
  readonly help: string;
  readonly isFirst?: boolean;
  readonly isDangerous?: boolean;
}

/** Every act needs a reason; a question to the vendor changes nothing and needs none. */
function actForm(visitor: Visitor, { event }: EventView, form: ActForm): Html {
  return html`<li><form action="/console/events/${event.id}/${form.act}" method="post">
${hiddenFields(visitor, { attempt: event.attempt })}
<button class="${form.isFirst ? 'first' : ''} ${form.isDangerous ? 'danger' : ''}">${form.title}</button><small>${form.help}</small>
${form.act !== 'ask' && reasonField(visitor.words)}</form></li>`;
}

function pauseForms(visitor: Visitor, { event, handler }: EventView): Html[] {
  const { words: w, language } = visitor;
  if (!handler || (event.status !== 'errored' && event.status !== 'pending')) return [];
  const form = (scope: 'target' | 'type', name: string, title: string): Html =>
    html`<li><form action="/console/controls/pause" method="post">
${hiddenFields(visitor, { scope, name, back: `/console/events/${event.id}` })}
<button class="danger">${title}</button>${minutesField(w)}${reasonField(w)}</form></li>`;
  const { target } = handler.definition;
  return [
    form('target', target, `${w.pauseTarget}: ${target}`),
    form('type', event.type, `${w.pauseType}: ${typeWordsOf(language, event.type).name}`),
  ];
}

function knowForm(visitor: Visitor, { group }: EventView): Html[] {
  const { words: w } = visitor;
  if (group?.status !== 'open' || group.known) return [];
  return [
    html`<li><form action="/console/causes/${group.id}/know" method="post">${hiddenFields(visitor)}<button>${w.know}</button><small>${w.knowHelp}</small>${reasonField(w)}</form></li>`,
  ];
}
