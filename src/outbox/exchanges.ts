import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Exchange } from '../entities/event-attempt.js';

const PACK_ABOVE = 1_024;
const PACKED = 'z:';
/** 24 KiB of memory a call instead of 268: it is freed only by the garbage collector. */
const SMALL = { windowBits: 12, memLevel: 4 };

/** An attempt's journal as its column holds it: JSON, compressed if it is long. Null: no call was made. */
export function packExchanges(exchanges: readonly Exchange[]): string | null {
  if (exchanges.length === 0) return null;
  const text = JSON.stringify(exchanges);
  return text.length <= PACK_ABOVE ? text : `${PACKED}${deflateRawSync(text, SMALL).toString('base64')}`;
}

/** The calls of an attempt, in order; none when it made none, or when they have expired. */
export function unpackExchanges(stored: string | null): Exchange[] {
  if (stored === null) return [];
  const text = stored.startsWith(PACKED)
    ? inflateRawSync(Buffer.from(stored.slice(PACKED.length), 'base64')).toString()
    : stored;
  return JSON.parse(text) as Exchange[];
}
