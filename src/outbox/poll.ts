import cron, { type ScheduledTask } from 'node-cron';
import type { Outbox } from './outbox.js';

export interface PollOptions {
  /** Six fields, e.g. every 15 seconds. */
  readonly cron: string;
  /** The time between two sweeps: the next due event is looked for so far ahead. Milliseconds. */
  readonly lookAheadMs: number;
  /** Asked at each tick; absent: `Outbox.nextDueInMs`. */
  readonly look?: (lookAheadMs: number) => Promise<number | null>;
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
  #onWoken: (() => void) | undefined;
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
      this.#onWoken?.();
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
    this.#onWoken?.();
    await this.#task?.destroy();
    await this.#sweeping;
  }

  /** Nothing is known to be due: one question, without a transaction, tells whether that is still so. */
  async #tick(): Promise<void> {
    if (this.#stopped || this.#sweeping !== undefined) return this.wake();
    const startedMs = performance.now();
    try {
      const { lookAheadMs, look } = this.options;
      if ((await (look ? look(lookAheadMs) : this.outbox.nextDueInMs(lookAheadMs))) !== null)
        return this.wake();
      this.outbox.signals.emit('swept', { claimed: 0, durationMs: performance.now() - startedMs });
    } catch (error) {
      this.outbox.signals.emit('sweep-failed', { error });
    }
  }

  async #untilWoken(): Promise<void> {
    if (this.#again || this.#stopped) return;
    await new Promise<void>((resolve) => {
      this.#onWoken = resolve;
    });
    this.#onWoken = undefined;
  }

  async #sweep(): Promise<void> {
    let startedMs = performance.now();
    let claimedCount = 0;
    const swept = (): void =>
      void this.outbox.signals.emit('swept', {
        claimed: claimedCount,
        durationMs: performance.now() - startedMs,
      });
    try {
      let isBacklog = false;
      while (!this.#stopped) {
        this.#again = false; // it looks now
        const claimed = await this.outbox.claimAndStart({
          lookAheadMs: this.options.lookAheadMs,
          deadlineFirst: isBacklog,
        });
        if (claimed !== 'no-slot') {
          claimedCount += claimed.rows.length;
          clearTimeout(this.#dueTimer);
          if (claimed.nextDueInMs !== null)
            this.#dueTimer = setTimeout(() => this.wake(), claimed.nextDueInMs + 1);
          if (!claimed.full && !claimed.crowded) break;
        }
        isBacklog = true;
        // The slots of one target, or of all, are full, and nothing else is due: go on when they are not, or when something may have fallen due.
        if (claimed !== 'no-slot' && claimed.full) {
          await new Promise(setImmediate); // what ends at once has made room then
          continue;
        }
        swept();
        await Promise.race([this.outbox.untilRoom(), this.#untilWoken()]);
        [startedMs, claimedCount] = [performance.now(), 0];
      }
      swept();
    } catch (error) {
      this.outbox.signals.emit('sweep-failed', { error });
    }
  }
}
