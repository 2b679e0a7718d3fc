/** So many attempts in a row that did not reach the vendor open its breaker. */
export const OPENS_AFTER = 5;
const FIRST_PAUSE_MS = 5_000;
const PAUSE_MAX_MS = 60_000;

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerView {
  readonly target: string;
  readonly state: BreakerState;
  readonly since: Date | null;
}

/**
 * Keeps attempts away from a vendor that cannot be reached, so that an outage of the vendor does not use up the failures of the events.
 * closed → open after OPENS_AFTER attempts in a row that were surely not executed; open → half-open after a pause that doubles up to a
 * minute; half-open lets one canary through: reached → closed, the flow doubling from one attempt at a time; not reached → open again.
 * One for each target and process. A call without any answer (a timeout) tells neither.
 */
export class Breaker {
  #state: BreakerState = 'closed';
  #inARow = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #openUntilMs = 0;
  #since: Date | null = null;
  /** Attempts at once while the flow ramps up; null when it is not limited. */
  #ramp: number | null = null;

  constructor(
    readonly target: string,
    private readonly onChange: (view: BreakerView) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  get view(): BreakerView {
    return { target: this.target, state: this.#state, since: this.#since };
  }

  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  /** How many more attempts may start, `busy` being under way and `max` the target's slots. */
  freeSlots(max: number, busy: number): number {
    if (this.#state === 'open' && this.nowMs() >= this.#openUntilMs) this.#become('half-open');
    if (this.#state === 'open') return 0;
    if (this.#state === 'half-open') return busy === 0 ? 1 : 0;
    return Math.max(0, Math.min(max, this.#ramp ?? max) - busy);
  }

  /** Milliseconds until the canary may go, or null when nothing is held back. */
  get opensInMs(): number | null {
    return this.#state === 'open' ? Math.max(0, this.#openUntilMs - this.nowMs()) : null;
  }

  /** An attempt was surely not executed, because the vendor could not be reached. */
  notReached(): void {
    this.#inARow += 1;
    if (this.#state === 'closed' && this.#inARow < OPENS_AFTER) return;
    if (this.#state === 'half-open') this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MAX_MS);
    this.#openUntilMs = this.nowMs() + this.#pauseMs;
    this.#become('open');
  }

  /** The vendor answered, whatever it said. */
  reached(): void {
    this.#inARow = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#state !== 'closed') {
      this.#ramp = 1;
      this.#become('closed');
    } else if (this.#ramp !== null) this.#ramp = this.#ramp >= 64 ? null : this.#ramp * 2;
  }

  #become(state: BreakerState): void {
    if (state === 'closed') this.#since = null;
    else this.#since ??= new Date();
    const changed = this.#state !== state;
    this.#state = state;
    if (changed || state === 'open') this.onChange(this.view);
  }
}
