import { cutCharacters } from '../base/text.js';
import type { Failure } from './types.js';

const MESSAGE_MAX = 1_000;

/** Equal for failures of the same cause: without ids, numbers, times, addresses. At most 191 characters. */
export function causeOf(type: string, failure: Failure): string {
  const message = failure.message
    .slice(0, MESSAGE_MAX) // before matching: a vendor may have sent a megabyte
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '#')
    .replace(/\b[0-9a-f]{10,}\b/gi, '#')
    .replace(/\d+/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
  return cutCharacters(`${type} ${failure.code} ${message}`, 191);
}
