import type { Breaker } from './breaker.js';
import type { Registry } from './registry.js';
import type { Held } from './run.js';

/** What may be claimed now of one target's events. */
export interface Room {
  readonly types: readonly string[];
  readonly count: number;
  /**
   * `wide`: enough for a claim; `narrow`: few, and worth a claim of their own; `held`: the breaker lets nothing through; `crowded`: what
   * there is, is not worth a claim now.
   */
  readonly kind: 'wide' | 'narrow' | 'held' | 'crowded';
}

/** Events claimed ahead, for each slot. Twice: while those for one round of the slots are being claimed, those for the next are there. */
const AHEAD = 2;

interface Target {
  readonly name: string;
  readonly types: readonly string[];
  busy: number;
  /** Claimed ahead: in order, each with its lease. */
  waiting: Held[];
}

/**
 * How many attempts each target may have at once, and what has been claimed ahead of them: in a backlog the next events are there when a
 * slot becomes free, twice as many as there are slots, so that no slot waits for a claim.
 */
export class Slots {
  readonly #targets = new Map<string, Target>();
  #room:
    | { readonly crowded: readonly Target[]; readonly promise: Promise<void>; resolve(): void }
    | undefined;

  constructor(
    registry: Registry,
    private readonly breakerOf: (target: string) => Breaker,
    /** Attempts at once for each target. */
    private readonly max: number,
  ) {
    for (const { definition } of registry.all()) {
      const { target } = definition;
      const known = this.#targets.get(target);
      this.#targets.set(target, {
        name: target,
        types: [...(known?.types ?? []), definition.type],
        busy: 0,
        waiting: [],
      });
    }
  }

  get waitingCount(): number {
    return [...this.#targets.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  get busyCount(): number {
    return [...this.#targets.values()].reduce((sum, { busy }) => sum + busy, 0);
  }

  rooms(isAhead: boolean): Room[] {
    return [...this.#targets.values()].map((target) => this.#roomOf(target, isAhead));
  }

  #roomOf({ name, types, busy, waiting }: Target, isAhead: boolean): Room {
    const breaker = this.breakerOf(name);
    const taken = busy + waiting.length;
    const count = breaker.freeSlots(isAhead ? (1 + AHEAD) * this.max : this.max, taken);
    if (count === 0 && breaker.isOpen) return { types, count, kind: 'held' };
    const enough = Math.ceil(isAhead ? this.max : this.max / 2);
    if (count >= enough && !breaker.isOpen) return { types, count, kind: 'wide' };
    // In a backlog a few free slots do not earn a claim: more come soon. A target that does nothing at all (a canary) waits for nobody.
    return { types, count, kind: count > 0 && (!isAhead || taken === 0) ? 'narrow' : 'crowded' };
  }

  /** Takes a slot, if there is one; else the event waits for one. */
  enter(held: Held): boolean {
    const target = this.#of(held);
    const isFree = target.busy < this.max;
    if (isFree) target.busy += 1;
    else target.waiting.push(held);
    return isFree;
  }

  /** Takes a slot whether or not there is one: somebody waits for the answer. */
  enterAtOnce(held: Held): void {
    this.#of(held).busy += 1;
  }

  /** Gives a slot back. Returns what takes it. */
  leave(held: Held): Held | undefined {
    const target = this.#of(held);
    target.busy -= 1;
    const breaker = this.breakerOf(target.name);
    // What waits although the breaker is open was claimed because its deadline has passed: it is not held back.
    const isFree = breaker.isOpen ? target.busy < this.max : breaker.freeSlots(this.max, target.busy) > 0;
    const next = isFree ? target.waiting.shift() : undefined;
    if (next) target.busy += 1;
    if (this.#room && !this.#isCrowded(this.#room.crowded)) this.#room.resolve();
    return next;
  }

  /** Takes what waits: of one target, or of all. Each has a slot now. */
  takeWaiting(name?: string): Held[] {
    return [...this.#targets.values()]
      .filter((target) => name === undefined || target.name === name)
      .flatMap((target) => {
        const { waiting } = target;
        target.waiting = [];
        target.busy += waiting.length;
        return waiting;
      });
  }

  /** Resolves when something can be claimed of a target that is crowded now; at once when none is. */
  async untilRoom(): Promise<void> {
    if (this.#room) return this.#room.promise;
    const crowded = [...this.#targets.values()].filter(
      (target) => this.#roomOf(target, true).kind === 'crowded',
    );
    if (crowded.length === 0) return;
    let resolve: () => void = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.#room = {
      crowded,
      promise,
      resolve: () => {
        this.#room = undefined;
        resolve();
      },
    };
    await promise;
  }

  #isCrowded(targets: readonly Target[]): boolean {
    return targets.every((target) => this.#roomOf(target, true).kind === 'crowded');
  }

  #of({ handler }: Held): Target {
    return this.#targets.get(handler.definition.target) as Target;
  }
}
