import type { Pause } from '../../operate/pause.js';
import type { Heartbeat } from '../../outbox/heartbeat.js';
import type { Registry } from '../../outbox/registry.js';
import { distinctPauses } from '../banners.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export function controlsPage(
  { words: w, language, mayAct, formToken }: Visitor,
  registry: Registry,
  pauses: readonly Pause[],
  processes: readonly Heartbeat[],
  now: Date,
): Html {
  const handlers = registry.all();
  const targets = [...new Set(handlers.map((handler) => handler.definition.target))];
  const hidden = html`<input type="hidden" name="form" value="${formToken}">`;
  const pauseForm = (
    scope: 'type' | 'target',
    names: readonly string[],
    title: string,
  ): Html => html`<li><form action="/console/controls/pause" method="post">${hidden}<input type="hidden" name="scope" value="${scope}"><h2>${title}</h2>
<label>${scope === 'type' ? w.type : w.target}<br><select name="name">${names.map((name) => html`<option value="${name}">${scope === 'type' ? typeWordsOf(language, name).name : name}</option>`)}</select></label>
<label>${w.minutes}<br><input name="minutes" type="number" min="1" max="1440" value="30" required></label>
<label>${w.reason}<br><input name="reason" required maxlength="500"></label><button class="danger">${w.pause}</button></form></li>`;
  return html`
${distinctPauses(pauses).map(
  (
    pause,
  ) => html`<div class="note bad"><p>${w.pausedBanner}: ${pause.name}, ${w.until} ${time(pause.untilAt, now, language)}, ${w.by} ${pause.actor}: ${pause.reason}</p>
${mayAct && html`<form action="/console/controls/resume" method="post">${hidden}<input type="hidden" name="scope" value="${pause.scope}"><input type="hidden" name="name" value="${pause.name}"><button>${w.resume}</button></form>`}</div>`,
)}
${
  mayAct
    ? html`<ul class="acts">${pauseForm('target', targets, w.pauseTarget)}${pauseForm(
        'type',
        handlers.map((handler) => handler.definition.type),
        w.pauseType,
      )}</ul>`
    : html`<p>${w.viewerOnly}</p>`
}
<h2>${w.breakerOpen}</h2>
<div class="wide" tabindex="0" role="region" aria-label="${w.breakerOpen}"><table><thead><tr><th scope="col">${w.target}</th><th scope="col">${w.worker}</th><th scope="col">${w.state}</th><th scope="col">${w.started}</th></tr></thead><tbody>
${processes.flatMap(({ worker, state, breakers }) => (state !== 'alive' ? [] : breakers.map((breaker) => html`<tr><th scope="row">${breaker.target}</th><td>${worker}</td><td><span class="state ${breaker.state === 'closed' ? 'alive' : 'errored'}">${breaker.state}</span></td><td>${breaker.since ? time(new Date(breaker.since), now, language) : '—'}</td></tr>`)))}</tbody></table></div>`;
}
