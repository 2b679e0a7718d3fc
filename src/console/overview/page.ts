import type { Heartbeat } from '../../operate/health.js';
import { COUNT_MAX, type Overview, WINDOW_MS } from '../../operate/overview.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { table } from '../parts/table.js';
import { length } from '../parts/text.js';
import type { Visitor } from '../session.js';
import { type ProcessesView, processTable } from './processes.js';

type Counts = Overview['types'][number];

const SETTLED_MINUTES = WINDOW_MS / 60_000;
const HANDLED = `handled&settled=${SETTLED_MINUTES}`;

interface OverviewView extends ProcessesView {
  readonly overview: Overview;
}

/** Is it healthy now? A sentence, cards, each type, each process. */
export function overviewPage(visitor: Visitor, view: OverviewView): Html {
  const { words: w } = visitor;
  const { overview, processes } = view;
  return html`
${sentence(visitor, overview, processes)}
${cards(visitor, overview)}
<p><small>${w.window}; ${w.handled}: ${w.perMinute}</small></p>
<h2>${w.perType}</h2>
${typeTable(visitor, overview)}
<h2>${w.processes}</h2>
${processes.length === 0 ? html`<p class="note bad">${w.noProcess}</p>` : processTable(visitor, view, overview.now)}`;
}

function sentence(visitor: Visitor, overview: Overview, processes: readonly Heartbeat[]): Html {
  const { words: w } = visitor;
  const errored = sum(overview, ({ errored }) => errored);
  const pending = sum(overview, ({ pending }) => pending);
  const age = ageOf(visitor, overview.oldestDueAt, overview.now);
  const isSwept = processes.some(({ kind, state }) => kind !== 'api' && state === 'alive');
  return html`<p class="note ${errored > 0 || !isSwept ? 'bad' : ''}">${
    errored > 0 ? html`${many(errored)} ${w.needsYou}` : w.healthy
  } · ${many(pending)} ${w.waiting}${age && html`, ${w.oldest} ${age}`}</p>`;
}

function cards(visitor: Visitor, overview: Overview): Html {
  const { words: w } = visitor;
  const card = (state: string, name: string, count: string): Html =>
    html`<li><a href="/console/events?state=${state}"><span>${name}</span><b>${count}</b></a></li>`;
  const [pending, retrying, unknown, errored] = [
    sum(overview, (counts) => counts.pending),
    sum(overview, (counts) => counts.retrying),
    sum(overview, (counts) => counts.unknown),
    sum(overview, (counts) => counts.errored),
  ];
  return html`<ul class="cards">
${card('pending', w.pending, many(pending))}${card('retrying', w.retrying, seen(overview, retrying))}${card('unknown', w.unknown, seen(overview, unknown))}${card('errored', w.errored, many(errored))}
${card(HANDLED, `${w.handled} (${w.perMinute})`, many(overview.settled))}${card('pending', w.oldest, ageOf(visitor, overview.oldestDueAt, overview.now) ?? '—')}
</ul>`;
}

function typeTable(visitor: Visitor, overview: Overview): Html {
  const { words: w } = visitor;
  return table(
    w.perType,
    [w.type, w.pending, w.retrying, w.unknown, w.errored, w.handled, w.oldest],
    overview.types.map((counts) => typeRow(visitor, overview, counts)),
  );
}

function typeRow(visitor: Visitor, overview: Overview, counts: Counts): Html {
  const cell = (state: string, count: string): Html =>
    html`<td><a href="/console/events?state=${state}&amp;type=${counts.type}">${count}</a></td>`;
  return html`<tr><th scope="row">${typeWordsOf(visitor.language, counts.type).name}<br><small>${counts.type}</small></th>${cell('pending', many(counts.pending))}${cell('retrying', seen(overview, counts.retrying))}${cell('unknown', seen(overview, counts.unknown))}${cell('errored', many(counts.errored))}${cell(HANDLED, many(counts.settled))}<td>${ageOf(visitor, counts.oldestDueAt, overview.now) ?? '—'}</td></tr>`;
}

function sum({ types }: Overview, read: (counts: Counts) => number): number {
  return types.reduce((total, counts) => total + read(counts), 0);
}

function ageOf({ language }: Visitor, since: Date | null, now: Date): string | null {
  return since ? length(Math.max(0, now.getTime() - since.getTime()), language) : null;
}

function many(count: number): string {
  return count > COUNT_MAX ? `${COUNT_MAX.toLocaleString('en')}+` : String(count);
}

/** Retrying and unknown events are counted among the newest alone: beyond that limit there may be more. */
function seen({ capped }: Overview, count: number): string {
  return capped ? `${count}+` : many(count);
}
