import { notApplied, type Outcome, rejected, unknown } from './outcome.js';
import { type Answer, retryAfterMs } from './transport.js';

/**
 * What the transport alone tells of a call, or null when there is a 2xx answer whose body must be read.
 * The vendors' codes inside a 200 are judged by each client's own table.
 */
export function classifyTransport(answer: Answer): Outcome<never> | null {
  if (answer.kind === 'no-answer') {
    return answer.sent ? unknown(answer.code, 'no answer came back') : notApplied(answer.code, 'the vendor could not be reached');
  }
  const { status } = answer;
  if (status >= 200 && status < 300) return null;
  if (status === 429) return notApplied('HTTP_429', 'the vendor limits our rate', retryAfterMs(answer.headers) ?? 5_000);
  if (status === 408 || status >= 500 || status < 400) return unknown(`HTTP_${status}`, 'a gateway answered; what the vendor did is not known');
  return rejected(`HTTP_${status}`, 'the vendor refused the request');
}
