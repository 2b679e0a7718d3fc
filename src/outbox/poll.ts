import cron, { type ScheduledTask } from 'node-cron';
import type { Outbox } from './outbox.js';

interface PollOptions {
  /** Six fields, e.g. every 15 seconds. */
  readonly cron: string;
  /** The time between two sweeps: the next due event is looked for so far ahead. Milliseconds. */
  readonly lookAheadMs: number;
  /** Asked at each tick; absent: `Outbox.nextDueInMs`. */
  readonly look?: (lookAheadMs: number) => Promise<number | null>;
}

/**
 * The loop that keeps events moving: a sweep at every tick of cron, after every wake, and when the next event
 * falls due. A sweep drains: a full fetch is followed by the next at once, which takes the earliest deadline
 * first. Two sweeps of a process never overlap.
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
    this.#sweeping = this.#sweep()
      .catch((error: unknown) => this.outbox.signals.emit('sweep-failed', { error }))
      .then(() => {
        this.#sweeping = undefined;
        if (this.#again) this.wake();
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

  /** Nothing is known to be due: a single statement shows whether that is still so. */
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

  async #sweep(): Promise<void> {
    for (let isBacklog = false; !this.#stopped; isBacklog = true) {
      const isFull = await this.#claimAll(isBacklog);
      if (!isFull) return;
      await Promise.race([this.outbox.untilRoom(), this.#untilWoken()]);
    }
  }

  /** Claims until nothing more is due. True: slots are full; go on when some are free, or after a wake. */
  async #claimAll(isBacklog: boolean): Promise<boolean> {
    const startedMs = performance.now();
    const { lookAheadMs } = this.options;
    let claimedCount = 0;
    for (let deadlineFirst = isBacklog; ; deadlineFirst = true) {
      this.#again = false; // it looks now
      const claimed = await this.outbox.claimAndStart({ lookAheadMs, deadlineFirst });
      if (claimed !== 'no-slot') {
        claimedCount += claimed.rows.length;
        this.#wakeIn(claimed.nextDueInMs);
        if (claimed.full) {
          await new Promise(setImmediate); // attempts that end at once have made room then
          if (!this.#stopped) continue;
        }
      }
      this.outbox.signals.emit('swept', { claimed: claimedCount, durationMs: performance.now() - startedMs });
      return claimed === 'no-slot' || claimed.crowded;
    }
  }

  #wakeIn(ms: number | null): void {
    clearTimeout(this.#dueTimer);
    if (ms !== null) this.#dueTimer = setTimeout(() => this.wake(), ms + 1);
  }

  async #untilWoken(): Promise<void> {
    if (this.#again || this.#stopped) return;
    await new Promise<void>((resolve) => {
      this.#onWoken = resolve;
    });
    this.#onWoken = undefined;
  }
}
