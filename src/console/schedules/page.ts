import { type Html, html } from '../html.js';
import { length, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export const runNow = ['sweep', 'books', 'housekeeping'] as const;

export type ScheduleName = (typeof runNow)[number] | 'unpaid';

export interface Schedule {
  readonly name: ScheduleName;
  readonly cron: string | null;
  readonly lastAt: Date | null;
  readonly lastMs: number | null;
  readonly lastEventId: string | null;
  readonly nextAt: Date | null;
  /** Within 24 hours; null where none can be missed. */
  readonly missed: number | null;
  readonly waiting: number | null;
}

/** What happens by itself, in plain words. */
export function schedulesPage(
  { words: w, language, mayAct, formToken }: Visitor,
  schedules: readonly Schedule[],
  now: Date,
): Html {
  const names: Record<ScheduleName, string> = {
    sweep: w.everyTick,
    books: w.reconciliation,
    housekeeping: w.cleanUp,
    unpaid: w.unpaid,
  };
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.schedules}"><table><thead><tr><th scope="col">${w.schedule}</th><th scope="col">${w.lastRun}</th><th scope="col">${w.duration}</th><th scope="col">${w.nextRun}</th><th scope="col">${w.missedRuns}</th><th scope="col">${w.waitingNow}</th><th scope="col">${w.actions}</th></tr></thead><tbody>
${schedules.map(
  (one) =>
    html`<tr><th scope="row">${names[one.name]}${one.cron && html`<br><small>${one.cron}</small>`}</th><td>${one.lastAt ? time(one.lastAt, now, language) : w.neverRan}${one.lastEventId && html` <a href="/console/events/${one.lastEventId}">#${one.lastEventId}</a>`}</td><td>${one.lastMs === null ? '—' : one.lastMs < 1_000 ? `${one.lastMs} ms` : length(one.lastMs, language)}</td><td>${time(one.nextAt, now, language)}</td><td>${one.missed ?? '—'}</td><td>${one.waiting ?? '—'}</td><td>${
      mayAct &&
      one.name !== 'unpaid' &&
      html`<form action="/console/schedules/${one.name}/run" method="post"><input type="hidden" name="form" value="${formToken}"><button aria-label="${w.runNow}: ${names[one.name]}">${w.runNow}</button></form>`
    }</td></tr>`,
)}</tbody></table></div><p>${w.overlap}</p>`;
}
