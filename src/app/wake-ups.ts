import type { Redis } from 'ioredis';
import type { Database } from '../database/database.js';
import { onDue } from '../outbox/wake.js';
import { connectSubscriber } from './redis.js';

const WAKE_CHANNEL = 'lunchbox:wake';

/** Carries "something is due" from commits to pollers: within the process, and over Redis between processes. A hint, never needed. */
export class WakeUps {
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;
  #subscriber: Redis | undefined;
  #publishing = false;

  constructor(
    private readonly redisUrls: readonly string[],
    database: Database,
    private readonly publisher: Redis | undefined,
  ) {
    this.#stop = onDue(database, () => {
      this.#tell();
      this.#publish();
    });
  }

  listen(listener: () => void): void {
    this.#listeners.add(listener);
    const [url] = this.redisUrls;
    if (!url || this.#subscriber) return;
    this.#subscriber = connectSubscriber(url);
    this.#subscriber.on('message', () => this.#tell());
    void this.#subscriber.subscribe(WAKE_CHANNEL).catch(() => {});
  }

  async close(): Promise<void> {
    this.#stop();
    this.#listeners.clear();
    this.#subscriber?.disconnect();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Commits of one turn of the loop share one message. */
  #publish(): void {
    if (!this.publisher || this.#publishing) return;
    this.#publishing = true;
    setImmediate(() => {
      this.#publishing = false;
      void this.publisher?.publish(WAKE_CHANNEL, '1').catch(() => {});
    });
  }
}
