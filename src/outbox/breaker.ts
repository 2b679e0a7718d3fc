/** This many attempts in a row that did not reach the vendor open its breaker. */
export const OPENS_AFTER = 5;
/** It opens, too, when this share of the window's calls, CALLS_MIN or more, got a 5xx or no answer. */
const SILENT_SHARE = 0.8;
export const CALLS_MIN = 5;
export const WINDOW_MS = 60_000;
/** Calls are counted in buckets of this length. Milliseconds. */
const BUCKET_MS = 5_000;
const FIRST_PAUSE_MS = 5_000;
const PAUSE_MAX_MS = 60_000;
/** A canary that has not ended after this time counts as lost, and another may go. Milliseconds. */
export const CANARY_MAX_MS = 60_000;

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerView {
  readonly target: string;
  readonly state: BreakerState;
  readonly since: Date | null;
}

/** What a call shows of its vendor. `silent`: 5xx, or no answer; `not-reached`: surely not executed. */
export type Heard = 'answered' | 'silent' | 'not-reached';

/**
 * Keeps attempts away from a vendor that is down, so that its outage does not use up the failures of the
 * events. One for each target and process.
 *   closed → open       after OPENS_AFTER attempts in a row that were surely not executed, or when nearly all
 *                       calls of the window were silent
 *   open → half-open    after a pause, which doubles up to a minute
 *   half-open           lets one attempt through, the canary: not answered → open; answered → closed, and the
 *                       number of attempts at once doubles from one
 * A refusal is an answer: a call that always fails opens nothing while the vendor answers other calls.
 */
export class Breaker {
  #state: BreakerState = 'closed';
  #inARow = 0;
  #window: { readonly fromMs: number; calls: number; silent: number }[] = [];
  #pauseMs = FIRST_PAUSE_MS;
  #openUntilMs = 0;
  #canaryUntilMs = 0;
  #since: Date | null = null;
  /** Attempts at once after the breaker closed; doubles with each answer. Null: not limited. */
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
    if (this.#state === 'half-open') return this.#canaries(busy);
    return Math.max(0, Math.min(max, this.#ramp ?? max) - busy);
  }

  /** One canary at a time. After CANARY_MAX_MS an attempt that still runs no longer keeps the next away. */
  #canaries(busy: number): number {
    if (busy > 0 && this.nowMs() < this.#canaryUntilMs) return 0;
    this.#canaryUntilMs = this.nowMs() + CANARY_MAX_MS;
    return 1;
  }

  /** Milliseconds until the canary may go, or null when nothing is held back. */
  get opensInMs(): number | null {
    return this.#state === 'open' ? Math.max(0, this.#openUntilMs - this.nowMs()) : null;
  }

  /** Counts the calls of one attempt, in their order. */
  learn(calls: readonly Heard[]): void {
    if (calls.length === 0) return;
    this.#count(calls);
    if (calls.includes('answered')) this.#answered();
    else this.#unanswered(calls.at(-1) === 'not-reached');
  }

  #unanswered(notReached: boolean): void {
    this.#inARow = notReached ? this.#inARow + 1 : this.#inARow;
    if (this.#state === 'open') return; // the attempt was under way when the breaker opened: nothing new
    if (this.#state === 'closed' && this.#inARow < OPENS_AFTER && !this.#isSilent()) return;
    if (this.#state === 'half-open') this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MAX_MS);
    this.#openUntilMs = this.nowMs() + this.#pauseMs;
    this.#become('open');
  }

  /** Calls that did not reach the vendor are left out: OPENS_AFTER is their rule. */
  #count(heard: readonly Heard[]): void {
    const nowMs = this.nowMs();
    let bucket = this.#window.at(-1);
    if (!bucket || nowMs >= bucket.fromMs + BUCKET_MS) {
      bucket = { fromMs: nowMs, calls: 0, silent: 0 };
      this.#window = [...this.#window.filter(({ fromMs }) => fromMs > nowMs - WINDOW_MS), bucket];
    }
    for (const call of heard) {
      if (call !== 'not-reached') bucket.calls += 1;
      if (call === 'silent') bucket.silent += 1;
    }
  }

  #isSilent(): boolean {
    const calls = this.#window.reduce((sum, bucket) => sum + bucket.calls, 0);
    const silent = this.#window.reduce((sum, bucket) => sum + bucket.silent, 0);
    return calls >= CALLS_MIN && silent >= SILENT_SHARE * calls;
  }

  /** The vendor answered at least one of the calls, whatever it said. */
  #answered(): void {
    this.#inARow = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#state !== 'closed') {
      this.#ramp = 1;
      this.#window = [];
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
