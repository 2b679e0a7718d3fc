import type { Database } from '../database/database.js';
import { pendingMigrations } from '../database/migrate.js';
import { type Heartbeat, heartbeats } from '../operate/health.js';
import { activePauses, type Pause } from '../operate/pause.js';
import { type Html, html } from './html.js';
import { time } from './parts/text.js';
import type { Visitor } from './session.js';
import { untoldAlert } from './statements.js';

const SKEW_MAX_MS = 2_000;
const UNSENT_MAX_MS = 5 * 60_000;
const SCHEMA_LOOK_MS = 60_000;

/**
 * The warnings above every page: read-only, schema drift, clock skew, unsent alerts, pauses, open breakers.
 */
export class Banners {
  #schema: { lookedMs: number; pending: Promise<readonly string[]> } | undefined;

  constructor(
    private readonly reading: Database,
    private readonly readOnly: boolean,
  ) {}

  async read({ words: w, language }: Visitor): Promise<Html[]> {
    const [pauses, processes, now, pending] = await Promise.all([
      activePauses(this.reading),
      heartbeats(this.reading),
      this.reading.now(),
      this.#pendingSchema(),
    ]);
    const skewMs = Math.abs(now.getTime() - Date.now());
    const banners: Html[] = [];
    if (this.readOnly) banners.push(html`${w.readOnly}`);
    if (pending.length > 0) banners.push(html`${w.schemaDrift}: ${pending.join(', ')}`);
    if (skewMs > SKEW_MAX_MS) banners.push(html`${w.clockSkew} ${Math.round(skewMs / 1000)} s`);
    if (await this.#hasUnsentAlert(now))
      banners.push(html`<a href="/console/events?type=WECOM_ALERT">${w.alertsFailing}</a>`);
    for (const pause of distinctPauses(pauses))
      banners.push(
        html`<a href="/console/controls">${w.pausedBanner}: ${pause.name}</a> ${w.until} ${time(pause.untilAt, now, language)} ${w.by} ${pause.actor}: ${pause.reason}`,
      );
    for (const { target, since } of openBreakers(processes))
      banners.push(
        html`<a href="/console/controls">${w.breakerOpen}: ${target}</a> ${since && time(new Date(since), now, language)}`,
      );
    return banners;
  }

  async #hasUnsentAlert(now: Date): Promise<boolean> {
    const firstBefore = new Date(now.getTime() - UNSENT_MAX_MS);
    return (await this.reading.query(untoldAlert(firstBefore))).length > 0;
  }

  /** Looked up at most once a minute. */
  #pendingSchema(): Promise<readonly string[]> {
    if (!this.#schema || performance.now() - this.#schema.lookedMs > SCHEMA_LOOK_MS)
      this.#schema = {
        lookedMs: performance.now(),
        pending: pendingMigrations(this.reading).catch(() => []),
      };
    return this.#schema.pending;
  }
}

/** The pause of a vendor is a row for each of its event types: they are shown as one. */
export function distinctPauses(pauses: readonly Pause[]): Pause[] {
  return [...new Map(pauses.map((pause) => [`${pause.scope} ${pause.name}`, pause])).values()];
}

/** One breaker for each vendor that any living process cannot reach. */
function openBreakers(processes: readonly Heartbeat[]): Heartbeat['breakers'][number][] {
  const open = processes
    .filter(({ state }) => state === 'alive')
    .flatMap(({ breakers }) => breakers.filter(({ state }) => state !== 'closed'));
  return [...new Map(open.map((breaker) => [breaker.target, breaker])).values()];
}
