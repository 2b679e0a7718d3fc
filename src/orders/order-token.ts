import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Caller } from '../base/caller.js';
import type { Clock } from '../base/clock.js';
import { crashPoint } from '../base/crash-point.js';
import { Problem } from '../base/problems.js';
import type { Ticket } from '../http/idempotency.js';

export const orderTokenModes = ['off', 'optional', 'required'] as const;

export interface OrderTokenOptions {
  /** `optional`: any key is taken. `required`: a fresh order needs a token as its key. */
  readonly mode: (typeof orderTokenModes)[number];
  /** How long a token is valid. Milliseconds. */
  readonly ttlMs: number;
  /** All processes share it. */
  readonly secret: string;
  readonly redis: Redis | null;
  readonly clock: Clock;
}

export interface OrderToken {
  readonly token: string;
  readonly expiresAt: Date;
}

type Owner = Pick<Caller, 'role' | 'sub'>;

/** What Redis knows of a token. `absent`: it expired, or was given out while Redis was away. */
type Taken = 'taken' | 'again' | 'other-body' | 'absent';

/** End, nonce and signature. The caller is part of what is signed, and does not stand in the token. */
const FORM = /^ot1\.([0-9a-z]{1,11})\.([\w-]{22})\.([\w-]{43})$/;
/** So long a used token is known by the body that it was used for. Milliseconds. */
const USED_KEEP_MS = 86_400_000;

/**
 * Compares and deletes the token, and marks for which body it was used, in one step. The mark is there because
 * the process may die, or refuse, before T1: the same token and body are let through again, another body is not.
 */
const TAKE = `
local used = redis.call('GET', KEYS[2])
if used then return used == ARGV[2] and 'again' or 'other-body' end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'absent' end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 'taken'`;

/**
 * Tokens that a client fetches before it orders, and sends as the `Idempotency-Key`. Every token is signed and
 * bound to its caller, so orders go on while Redis is away; the key's record makes it single in any case.
 */
export class OrderTokens {
  readonly #key: Buffer;

  constructor(private readonly options: OrderTokenOptions) {
    this.#key = Buffer.from(hkdfSync('sha256', options.secret, '', 'lunchbox order token', 32));
  }

  async issue({ role, sub }: Owner): Promise<OrderToken> {
    const { ttlMs, clock, redis } = this.options;
    const expiresAt = new Date(clock.now() + ttlMs);
    const signed = `${expiresAt.getTime().toString(36)}.${randomBytes(16).toString('base64url')}`;
    const token = `ot1.${signed}.${this.#sign(signed, { role, sub })}`;
    // A token that Redis does not keep is still good by its signature.
    await redis?.set(keysOf(token).free, ownerOf({ role, sub }), 'PX', ttlMs).catch(() => {});
    return { token, expiresAt };
  }

  /**
   * Uses the token of a request that has no record yet. Throws Problem `order-token-invalid`, or
   * `idempotency-key-reused` for a token that was used with another body.
   */
  async use({ attempted, bodyHash }: Pick<Ticket, 'attempted' | 'bodyHash'>): Promise<void> {
    const { mode, clock } = this.options;
    if (mode === 'off') return;
    const owner = { role: attempted.role, sub: attempted.caller };
    const expiresMs = this.#expiryOf(attempted.key, owner);
    const taken = expiresMs === null ? 'absent' : await this.#take(attempted.key, owner, bodyHash);
    crashPoint('place-token-used');
    if (taken === 'other-body') throw new Problem('idempotency-key-reused');
    const isGood = taken !== 'absent' || (expiresMs !== null && expiresMs > clock.now());
    if (mode === 'required' && !isGood) throw new Problem('order-token-invalid');
  }

  async #take(token: string, owner: Owner, bodyHash: string): Promise<Taken> {
    const { redis } = this.options;
    if (!redis) return 'absent';
    const { free, used } = keysOf(token);
    // While Redis is away the signature decides.
    return redis
      .eval(TAKE, 2, free, used, ownerOf(owner), bodyHash, USED_KEEP_MS)
      .then((answer) => answer as Taken)
      .catch(() => 'absent');
  }

  /** Null: it is no token of this caller. */
  #expiryOf(key: string, owner: Owner): number | null {
    const parts = FORM.exec(key);
    if (!parts) return null;
    const [, expires = '', nonce = '', signature = ''] = parts;
    const wanted = this.#sign(`${expires}.${nonce}`, owner);
    const isOurs =
      signature.length === wanted.length && timingSafeEqual(Buffer.from(signature), Buffer.from(wanted));
    return isOurs ? Number.parseInt(expires, 36) : null;
  }

  #sign(signed: string, owner: Owner): string {
    return createHmac('sha256', this.#key)
      .update(`${signed}.${ownerOf(owner)}`)
      .digest('base64url');
  }
}

/** Redis keeps no token, only its hash: whoever reads the memory of Redis cannot order with it. */
function keysOf(token: string): { free: string; used: string } {
  const hash = createHash('sha256').update(token).digest('base64url');
  return { free: `lunchbox:order-token:${hash}`, used: `lunchbox:order-token-used:${hash}` };
}

function ownerOf({ role, sub }: Owner): string {
  return JSON.stringify([role, sub]);
}
