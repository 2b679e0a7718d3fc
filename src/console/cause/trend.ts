import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';
import type { Occurrence } from './occurrences.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;
const UTC_OFFSET_HOURS = 8;
/** Sizes are in units of the picture (its viewBox is 240 × 40). */
const BAR_HEIGHT = 38;
const HEIGHT = 40;
const STEP = 10;

/** A bar for each of the last 24 hours, and the same as a table for those who cannot see bars. */
export function trend({ words: w }: Visitor, occurrences: readonly Occurrence[], now: Date): Html {
  const thisHour = hourOf(now);
  const counts = Array.from({ length: HOURS }, (_, i) => {
    const hour = thisHour - (HOURS - 1 - i);
    return { hour, count: occurrences.filter(({ at }) => hourOf(at) === hour).length };
  });
  const max = Math.max(1, ...counts.map(({ count }) => count));
  return html`<svg class="bars" viewBox="0 0 240 40" role="img" aria-label="${w.trend}">${counts.map(({ count }, i) => bar(i, count / max))}</svg>
<details id="trend"><summary>${w.trend}</summary><table><thead><tr><th scope="col">${w.hour}</th><th scope="col">${w.count}</th></tr></thead><tbody>${counts.map(({ hour, count }) => html`<tr><td>${label(hour)}${hour === thisHour && '*'}</td><td>${count}</td></tr>`)}</tbody></table><p><small>${w.still}</small></p></details>`;
}

function bar(i: number, share: number): Html {
  const height = Math.round(share * BAR_HEIGHT);
  return html`<rect x="${i * STEP + 1}" y="${HEIGHT - height}" width="8" height="${height}"></rect>`;
}

function hourOf(instant: Date): number {
  return Math.floor(instant.getTime() / HOUR_MS);
}

function label(hour: number): string {
  return `${String((hour + UTC_OFFSET_HOURS) % 24).padStart(2, '0')}:00`;
}
