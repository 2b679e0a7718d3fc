import cron, { type ScheduledTask } from 'node-cron';
import type { Outbox } from './outbox.js';

export interface PollOptions {
  /** Six fields, e.g. every 15 seconds. */
  readonly cron: string;
  /** The time between two sweeps: the next due event is looked for so far ahead. Milliseconds. */
  readonly lookAheadMs: number;
}

/**
 * The loop that keeps events moving: a sweep at every tick of cron, after every wake, and when the next event falls due.
 * A sweep drains: a full fetch is followed by the next at once, which takes what has the earliest deadline first. Two sweeps of one process never overlap.
 */
export class Poller {
  #task: ScheduledTask | undefined;
  #dueTimer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(
    private readonly outbox: Outbox,
    private readonly options: PollOptions,
  ) {}

  start(): void {
    this.#task = cron.schedule(this.options.cron, () => this.#tick(), { name: 'sweep', noOverlap: true });
    this.wake();
  }

  /** Something may be due. Cheap; calls during a sweep make it look once more. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#sweeping !== undefined) {
      this.#again = true;
      return;
    }
    this.#sweeping = this.#sweep().finally(() => {
      this.#sweeping = undefined;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  /** No new claims; resolves when the sweep under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#dueTimer);
    await this.#task?.destroy();
    await this.#sweeping;
  }

  /** Nothing is known to be due: one question, without a transaction, tells whether that is still so. */
  async #tick(): Promise<void> {
    if (this.#stopped || this.#sweeping !== undefined) return this.wake();
    const startedMs = performance.now();
    try {
      if ((await this.outbox.nextDueInMs(this.options.lookAheadMs)) !== null) return this.wake();
      this.outbox.signals.emit('swept', { claimed: 0, durationMs: performance.now() - startedMs });
    } catch (error) {
      this.outbox.signals.emit('sweep-failed', { error });
    }
  }

  async #sweep(): Promise<void> {
    const startedMs = performance.now();
    let claimedCount = 0;
    clearTimeout(this.#dueTimer);
    try {
      let backlog = false;
      while (!this.#stopped) {
        const claimed = await this.outbox.claimAndStart({ lookAheadMs: this.options.lookAheadMs, deadlineFirst: backlog });
        if (claimed === 'no-slot') {
          await this.outbox.oneEnded();
          continue;
        }
        claimedCount += claimed.rows.length;
        backlog = claimed.full;
        if (backlog) continue;
        if (claimed.nextDueInMs !== null) this.#dueTimer = setTimeout(() => this.wake(), claimed.nextDueInMs + 1);
        break;
      }
      this.outbox.signals.emit('swept', { claimed: claimedCount, durationMs: performance.now() - startedMs });
    } catch (error) {
      this.outbox.signals.emit('sweep-failed', { error });
    }
  }
}
