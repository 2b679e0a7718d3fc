import type { Heartbeat } from '../../operate/health.js';
import { type Html, html } from '../html.js';
import { table } from '../parts/table.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export interface ProcessesView {
  readonly processes: readonly Heartbeat[];
  /** How many events each lost process still holds. */
  readonly held: ReadonlyMap<string, number>;
  readonly nextSweepAt: Date | null;
  readonly batchSize: number;
}

/** Each process with its last and next sweep, and how many events it holds. */
export function processTable(visitor: Visitor, view: ProcessesView, now: Date): Html {
  const { words: w } = visitor;
  return table(
    w.processes,
    [w.worker, w.state, w.build, w.started, w.lastSeen, w.lastSweep, w.nextSweep, w.batchSize, w.holds],
    view.processes.map((process) => row(visitor, process, view, now)),
  );
}

function row({ words: w, language }: Visitor, process: Heartbeat, view: ProcessesView, now: Date): Html {
  const { kind, worker, state, sweepMs } = process;
  const isLost = state === 'lost';
  const sweeps = kind !== 'api';
  return html`<tr><th scope="row">${kind}<br><small>${worker}</small></th><td><span class="state ${state}">${w[state]}</span></td><td>${process.version}</td><td>${time(process.startedAt, now, language)}</td><td>${time(process.seenAt, now, language)}</td><td>${time(process.sweptAt, now, language)}${sweepMs !== null && html` ${sweepMs} ms`}</td><td>${sweeps && state === 'alive' ? time(view.nextSweepAt, now, language) : '—'}</td><td>${sweeps ? view.batchSize : '—'}</td><td><a href="/console/events?state=running&amp;worker=${worker}">${isLost ? (view.held.get(worker) ?? 0) : process.running}</a>${isLost && html` <small>${w.holdsEvents}</small>`}</td></tr>`;
}
