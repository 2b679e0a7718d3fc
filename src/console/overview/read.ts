import type { Database } from '../../database/database.js';
import { type Heartbeat, heartbeats } from '../../operate/health.js';
import { countEvents } from '../../operate/list.js';
import { type Overview, readOverview } from '../../operate/overview.js';

/**
 * A reading is shown ten times as long as it took: looking takes at most a tenth of a connection, however
 * many people look.
 */
const SHOWN_TIMES = 10;
const SHOWN_MAX_MS = 5_000;

interface Reading {
  readonly overview: Overview;
  readonly processes: readonly Heartbeat[];
  /** How many events each lost process still holds. */
  readonly held: ReadonlyMap<string, number>;
}

/** Reads what the overview shows. All who look at the same time share one reading. */
export class OverviewReader {
  #shared: { untilMs: number; readonly reading: Promise<Reading> } | undefined;

  constructor(
    private readonly database: Database,
    private readonly types: readonly string[],
  ) {}

  read(): Promise<Reading> {
    if (this.#shared && performance.now() < this.#shared.untilMs) return this.#shared.reading;
    const startedMs = performance.now();
    const shared = { untilMs: Number.POSITIVE_INFINITY, reading: this.#readNow() };
    shared.reading.then(
      () => {
        const tookMs = performance.now() - startedMs;
        shared.untilMs = performance.now() + Math.min(SHOWN_MAX_MS, SHOWN_TIMES * tookMs);
      },
      () => {
        shared.untilMs = 0; // an error is not shown again
      },
    );
    this.#shared = shared;
    return shared.reading;
  }

  async #readNow(): Promise<Reading> {
    const [overview, processes] = await Promise.all([
      readOverview(this.database, this.types),
      heartbeats(this.database),
    ]);
    const held = new Map<string, number>();
    for (const { worker, state } of processes)
      if (state === 'lost') held.set(worker, await countEvents(this.database, { state: 'running', worker }));
    return { overview, processes, held };
  }
}
