import type { Heartbeat } from '../../operate/health.js';
import type { Pause } from '../../operate/pause.js';
import type { Registry } from '../../outbox/registry.js';
import { distinctPauses } from '../banners.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { hiddenFields, minutesField, reasonField } from '../parts/fields.js';
import { table } from '../parts/table.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';

interface ControlsView {
  readonly registry: Registry;
  readonly pauses: readonly Pause[];
  readonly processes: readonly Heartbeat[];
  readonly now: Date;
}

/** What is paused, the two forms that pause, and the breakers of all living processes. */
export function controlsPage(visitor: Visitor, { registry, pauses, processes, now }: ControlsView): Html {
  const { words: w, mayAct } = visitor;
  return html`
${distinctPauses(pauses).map((pause) => pauseNote(visitor, pause, now))}
${mayAct ? pauseForms(visitor, registry) : html`<p>${w.viewerOnly}</p>`}
<h2>${w.breakerOpen}</h2>
${breakerTable(visitor, processes, now)}`;
}

function pauseNote(visitor: Visitor, pause: Pause, now: Date): Html {
  const { words: w, language, mayAct } = visitor;
  const { scope, name } = pause;
  return html`<div class="note bad"><p>${w.pausedBanner}: ${name}, ${w.until} ${time(pause.untilAt, now, language)}, ${w.by} ${pause.actor}: ${pause.reason}</p>
${mayAct && html`<form action="/console/controls/resume" method="post">${hiddenFields(visitor, { scope, name })}<button>${w.resume}</button></form>`}</div>`;
}

function pauseForms(visitor: Visitor, registry: Registry): Html {
  const { words: w, language } = visitor;
  const definitions = registry.all().map((handler) => handler.definition);
  const targets = [...new Set(definitions.map(({ target }) => target))].map(
    (target) => html`<option value="${target}">${target}</option>`,
  );
  const types = definitions.map(
    ({ type }) => html`<option value="${type}">${typeWordsOf(language, type).name}</option>`,
  );
  const form = (scope: 'type' | 'target', title: string, label: string, options: readonly Html[]): Html =>
    html`<li><form action="/console/controls/pause" method="post">${hiddenFields(visitor, { scope })}<h2>${title}</h2>
<label>${label}<br><select name="name">${options}</select></label>
${minutesField(w)}
${reasonField(w)}<button class="danger">${w.pause}</button></form></li>`;
  return html`<ul class="acts">${form('target', w.pauseTarget, w.target, targets)}${form('type', w.pauseType, w.type, types)}</ul>`;
}

function breakerTable({ words: w, language }: Visitor, processes: readonly Heartbeat[], now: Date): Html {
  const alive = processes.filter(({ state }) => state === 'alive');
  return table(
    w.breakerOpen,
    [w.target, w.worker, w.state, w.started],
    alive.flatMap(({ worker, breakers }) =>
      breakers.map(
        ({ target, state, since }) =>
          html`<tr><th scope="row">${target}</th><td>${worker}</td><td><span class="state ${state === 'closed' ? 'alive' : 'errored'}">${state}</span></td><td>${since ? time(new Date(since), now, language) : '—'}</td></tr>`,
      ),
    ),
  );
}
