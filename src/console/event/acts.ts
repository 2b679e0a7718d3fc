import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import type { Visitor } from '../session.js';
import type { EventView } from './view.js';

/** The recommended one first; what the state does not allow is not there at all. */
export function actions(visitor: Visitor, { event, handler, group, notDiscardable }: EventView): Html {
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
