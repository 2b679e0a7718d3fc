import type { RunNowName } from '../../operate/run-now.js';
import { type Html, html } from '../html.js';
import type { Words } from '../locales/zh.js';
import { hiddenFields } from '../parts/fields.js';
import { table } from '../parts/table.js';
import { length, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

type ScheduleName = RunNowName | 'unpaid';

export interface Schedule {
  readonly name: ScheduleName;
  readonly cron: string | null;
  readonly lastAt: Date | null;
  readonly lastMs: number | null;
  readonly lastEventId: string | null;
  readonly nextAt: Date | null;
  /** Runs missed within 24 hours; null for a schedule that cannot miss any. */
  readonly missed: number | null;
  readonly waiting: number | null;
}

/** What happens by itself, in plain words. */
export function schedulesPage(visitor: Visitor, schedules: readonly Schedule[], now: Date): Html {
  const { words: w } = visitor;
  return html`${table(
    w.schedules,
    [w.schedule, w.lastRun, w.duration, w.nextRun, w.missedRuns, w.waitingNow, w.actions],
    schedules.map((schedule) => row(visitor, schedule, now)),
  )}<p>${w.overlap}</p>`;
}

function row(visitor: Visitor, schedule: Schedule, now: Date): Html {
  const { words: w, language } = visitor;
  const { name, cron, lastAt, lastEventId, nextAt, missed, waiting } = schedule;
  return html`<tr><th scope="row">${titleOf(w, name)}${cron && html`<br><small>${cron}</small>`}</th><td>${lastAt ? time(lastAt, now, language) : w.neverRan}${lastEventId && html` <a href="/console/events/${lastEventId}">#${lastEventId}</a>`}</td><td>${durationOf(visitor, schedule)}</td><td>${time(nextAt, now, language)}</td><td>${missed ?? '—'}</td><td>${waiting ?? '—'}</td><td>${runNowForm(visitor, name)}</td></tr>`;
}

function titleOf(w: Words, name: ScheduleName): string {
  return { sweep: w.everyTick, books: w.reconciliation, housekeeping: w.cleanUp, unpaid: w.unpaid }[name];
}

function durationOf({ language }: Visitor, { lastMs }: Schedule): string {
  if (lastMs === null) return '—';
  return lastMs < 1_000 ? `${lastMs} ms` : length(lastMs, language);
}

/**
 * The stock of an unpaid order is given back by an event of its own: that cannot be run for all orders at
 * once.
 */
function runNowForm(visitor: Visitor, name: ScheduleName): Html | null {
  const { words: w, mayAct } = visitor;
  if (!mayAct || name === 'unpaid') return null;
  return html`<form action="/console/schedules/${name}/run" method="post">${hiddenFields(visitor)}<button aria-label="${w.runNow}: ${titleOf(w, name)}">${w.runNow}</button></form>`;
}
