import type { Database } from '../database/database.js';
import { callsAPerson, type Ended, type SettleHooks, settle, settleTogether } from './settle.js';

/** Attempts that end while a group is being written go into the next one. */
const GROUP_MAX = 100;
const GROUPS_AT_ONCE = 4;
/** A second group begins beside the first when this many attempts wait, or one has waited PATIENCE_MS. */
const GROUP_ENOUGH = 50;
const PATIENCE_MS = 10;

/** The part of a lease that changes while its attempt is written. */
interface Settling {
  isBeingSettled: boolean;
}

interface Waiting {
  readonly ended: Ended;
  readonly lease: Settling | undefined;
  readonly resolve: (settled: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Settles attempts that end at about the same time in one transaction: they share its commit, and nothing
 * else. Each row is fenced by its own id and attempt, and each event's effects are written before the next
 * event's. A group in which anything fails is rolled back and its members are settled one by one, so that no
 * event fails because of another. A lone attempt does not wait for a group.
 */
export class Settler {
  readonly #waiting: Waiting[] = [];
  #writing = 0;
  #impatient: NodeJS.Timeout | undefined;
  #isSoon = false;

  constructor(
    private readonly database: Database,
    private readonly hooks: SettleHooks,
    /** Infinity in a simulation, whose time stands still meanwhile. */
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** False: the lease was lost and nothing was written. */
  settle(ended: Ended, lease?: Settling): Promise<boolean> {
    // An errored event touches rows that many events share (the group of its cause, stock): settle it alone,
    // in a short transaction.
    if (ended.transition.status === 'errored' || callsAPerson(ended.transition))
      return whileSettling([{ lease }], () => settle(this.database, this.hooks, ended));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ended, lease, resolve, reject });
      this.#soon();
    });
  }

  /** After this turn of the event loop, in which more may end. */
  #soon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    setImmediate(() => {
      this.#isSoon = false;
      this.#write();
    });
  }

  #write(isImpatient = false): void {
    while (this.#writing < GROUPS_AT_ONCE && this.#waiting.length > 0) {
      if (this.#writing > 0 && this.#waiting.length < GROUP_ENOUGH && !isImpatient) {
        if (this.patienceMs !== Number.POSITIVE_INFINITY)
          this.#impatient ??= setTimeout(() => {
            this.#impatient = undefined;
            this.#write(true);
          }, this.patienceMs);
        return;
      }
      this.#writing += 1;
      const group = this.#waiting.splice(0, GROUP_MAX);
      void whileSettling(group, () => this.#writeGroup(group)).finally(() => {
        this.#writing -= 1;
        this.#write();
      });
    }
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    if (group.length > 1 && (await this.#together(group))) for (const { resolve } of group) resolve(true);
    else
      for (const { ended, resolve, reject } of group)
        await settle(this.database, this.hooks, ended).then(resolve, reject);
  }

  /** False: something failed, and nothing was kept. Settled one by one, only the culprit fails. */
  async #together(group: readonly Waiting[]): Promise<boolean> {
    // By id, so that two groups meet their rows in one order.
    const sorted = group
      .map(({ ended }) => ended)
      .sort((a, b) => (BigInt(a.event.id) < BigInt(b.event.id) ? -1 : 1));
    return settleTogether(this.database, this.hooks, sorted).then(
      () => true,
      () => false,
    );
  }
}

async function whileSettling<T>(
  members: readonly { readonly lease: Settling | undefined }[],
  work: () => Promise<T>,
): Promise<T> {
  const mark = (isBeingSettled: boolean): void => {
    for (const { lease } of members) if (lease) lease.isBeingSettled = isBeingSettled;
  };
  mark(true);
  return work().finally(() => mark(false));
}
