import { notApplied, type Outcome, rejected, unknown } from './outcome.js';
import { type Answer, retryAfterMs } from './transport.js';

/** A 4xx after which nothing was done. Any other (409, 410, 423, 499, …) may be a gateway's word about a call that the vendor has carried out. */
const REFUSALS: readonly number[] = [400, 401, 403, 404, 422];

/**
 * What the transport alone tells of a call, or null when there is a 2xx answer whose body must be read.
 * The vendors' codes inside a 200 are judged by each client's own table.
 */
export function classifyTransport(answer: Answer): Outcome<never> | null {
  if (answer.kind === 'no-answer') {
    return answer.sent
      ? unknown(answer.code, 'no answer came back')
      : notApplied(answer.code, 'the vendor could not be reached');
  }
  const { status } = answer;
  if (status >= 200 && status < 300) return null;
  if (status === 429)
    return notApplied('HTTP_429', 'the vendor limits our rate', retryAfterMs(answer.headers) ?? 5_000);
  if (REFUSALS.includes(status)) return rejected(`HTTP_${status}`, 'the vendor refused the request');
  return unknown(`HTTP_${status}`, 'a gateway answered; what the vendor did is not known');
}
