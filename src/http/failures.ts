import type { Redis } from 'ioredis';
import { Problem } from '../base/problems.js';

const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 10_000;
const PROVEN_MAX = 10_000;
const PROVEN_MS = 600_000;

/**
 * Bad tokens and failed sign-ins, by the address they come from. Each process refuses by what it knows; with Redis it hears at each failure
 * how many there were at all processes. Redis being away leaves its own count.
 */
export class AuthFailures {
  readonly #byAddress = new Map<string, { count: number; untilMs: number }>();
  /** Tokens that were genuine lately, by their signatures: whoever shares an address with an attacker is not shut out with him. */
  readonly #proven = new Map<string, number>();

  constructor(
    private readonly maxPerMinute: number,
    private readonly redis: Redis | null,
  ) {}

  /** Before a signature is checked. Throws Problem `rate-limited`. */
  refuse(address: string, token: string): void {
    const found = this.#byAddress.get(networkOf(address));
    const leftMs = (found?.untilMs ?? 0) - Date.now();
    if (!found || leftMs <= 0 || found.count < this.maxPerMinute) return;
    if ((this.#proven.get(signatureOf(token)) ?? 0) > Date.now()) return;
    throw new Problem('rate-limited', {
      detail: 'too many bad tokens from this address',
      retryAfterS: Math.ceil(leftMs / 1000),
    });
  }

  count(address: string): void {
    const network = networkOf(address);
    const nowMs = Date.now();
    let found = this.#byAddress.get(network);
    if (!found || found.untilMs <= nowMs) {
      found = { count: 0, untilMs: nowMs + WINDOW_MS };
      keep(this.#byAddress, network, found, ADDRESSES_MAX);
    }
    found.count++;
    void this.#countForAll(network, found);
  }

  prove(token: string): void {
    keep(this.#proven, signatureOf(token), Date.now() + PROVEN_MS, PROVEN_MAX);
  }

  async #countForAll(network: string, found: { count: number; untilMs: number }): Promise<void> {
    if (!this.redis) return;
    const key = `lunchbox:auth-failures:${network}`;
    try {
      const all = await this.redis.incr(key);
      if (all === 1) await this.redis.pexpire(key, WINDOW_MS);
      found.count = Math.max(found.count, all);
    } catch {} // the count of this process holds
  }
}

/** An IPv6 network of 64 bits is one caller: he has all its addresses. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  return address.split(':').slice(0, 4).join(':');
}

const signatureOf = (token: string): string => token.slice(token.lastIndexOf('.') + 1);

/** A map that grows no further: the oldest entry makes room. */
function keep<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key);
  const oldest = map.size >= max ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
