import type { Held } from './attempt.js';
import type { Breaker } from './breaker.js';
import type { Registry } from './registry.js';

/** Event types whose targets have the same kind of room, and how many events each target can take. */
interface Room {
  readonly types: readonly string[];
  readonly count: number;
}

/**
 * `wide`: enough free slots for a claim shared with other targets. `narrow`: few, for a claim of their own.
 * `held`: the breaker lets nothing through. `crowded`: fewer than are worth a claim; wait until more are
 * free, so that each claim fetches a useful batch.
 */
type Kind = 'wide' | 'narrow' | 'held' | 'crowded';

/** Events claimed ahead, for each slot: while a claim fetches the round after the next, the next is there. */
const AHEAD = 2;

interface Target {
  readonly name: string;
  readonly types: string[];
  busy: number;
  /** Claimed ahead: in order, each with its lease. */
  waiting: Held[];
}

/**
 * How many attempts each target may have at once, and what has been claimed ahead of them: in a backlog the
 * next events are there when a slot becomes free, twice as many as there are slots, so that no slot waits for
 * a claim.
 */
export class Slots {
  readonly #targets = new Map<string, Target>();
  #room: { readonly crowded: readonly Target[]; readonly promise: Promise<void>; free(): void } | undefined;

  constructor(
    registry: Registry,
    private readonly breakerOf: (target: string) => Breaker,
    /** Attempts at once for each target. */
    private readonly max: number,
  ) {
    for (const { definition } of registry.all()) {
      const { type, target: name } = definition;
      const known = this.#targets.get(name);
      if (known) known.types.push(type);
      else this.#targets.set(name, { name, types: [type], busy: 0, waiting: [] });
    }
  }

  get waitingCount(): number {
    return this.#all.reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  get busyCount(): number {
    return this.#all.reduce((sum, { busy }) => sum + busy, 0);
  }

  get #all(): Target[] {
    return [...this.#targets.values()];
  }

  /** What may be claimed now. */
  rooms(isBacklog: boolean): Record<Kind, Room> {
    const rooms = this.#all.map((target) => ({ ...this.#roomOf(target, isBacklog), types: target.types }));
    const ofKind = (kind: Kind): Room => {
      const same = rooms.filter((room) => room.kind === kind);
      return {
        types: same.flatMap(({ types }) => types),
        count: Math.min(...same.map(({ count }) => count)),
      };
    };
    return {
      wide: ofKind('wide'),
      narrow: ofKind('narrow'),
      held: ofKind('held'),
      crowded: ofKind('crowded'),
    };
  }

  #roomOf({ name, busy, waiting }: Target, isBacklog: boolean): { count: number; kind: Kind } {
    const breaker = this.breakerOf(name);
    const taken = busy + waiting.length;
    const count = breaker.freeSlots(isBacklog ? (1 + AHEAD) * this.max : this.max, taken);
    if (count === 0 && breaker.isOpen) return { count, kind: 'held' };
    const enough = Math.ceil(isBacklog ? this.max : this.max / 2);
    if (count >= enough && !breaker.isOpen) return { count, kind: 'wide' };
    // In a backlog a few free slots do not earn a claim: more come soon. A target that does nothing (a
    // canary) does not wait.
    return { count, kind: count > 0 && (!isBacklog || taken === 0) ? 'narrow' : 'crowded' };
  }

  /** Takes a slot and returns true; false: none is free, and the event waits for one. */
  enter(held: Held): boolean {
    const target = this.#targetOf(held);
    const isFree = target.busy < this.max;
    if (isFree) target.busy += 1;
    else target.waiting.push(held);
    return isFree;
  }

  /** Takes a slot even if none is free: a person waits for the answer. */
  enterAtOnce(held: Held): void {
    this.#targetOf(held).busy += 1;
  }

  /** Gives a slot back. Returns the event that takes it. */
  leave(held: Held): Held | undefined {
    const target = this.#targetOf(held);
    const breaker = this.breakerOf(target.name);
    target.busy -= 1;
    // What waits although the breaker is open was claimed because its deadline has passed: it is not held
    // back.
    const isFree = breaker.isOpen ? target.busy < this.max : breaker.freeSlots(this.max, target.busy) > 0;
    const next = isFree ? target.waiting.shift() : undefined;
    if (next) target.busy += 1;
    if (this.#room?.crowded.some((each) => !this.#isCrowded(each))) {
      this.#room.free();
      this.#room = undefined;
    }
    return next;
  }

  /** Takes what waits: of one target, or of all. Each has a slot now. */
  takeWaiting(name?: string): Held[] {
    const targets = this.#all.filter((target) => name === undefined || target.name === name);
    return targets.flatMap((target) => {
      const { waiting } = target;
      target.waiting = [];
      target.busy += waiting.length;
      return waiting;
    });
  }

  /** Resolves when something can be claimed of a target that is crowded now; at once when none is. */
  async untilRoom(): Promise<void> {
    if (this.#room) return this.#room.promise;
    const crowded = this.#all.filter((target) => this.#isCrowded(target));
    if (crowded.length === 0) return;
    let free: () => void = () => {};
    const promise = new Promise<void>((resolve) => {
      free = resolve;
    });
    this.#room = { crowded, promise, free };
    await promise;
  }

  #isCrowded(target: Target): boolean {
    return this.#roomOf(target, true).kind === 'crowded';
  }

  #targetOf({ handler }: Held): Target {
    return this.#targets.get(handler.definition.target) as Target;
  }
}
