import { type Outcome, rejected } from './outcome.js';
import { type Answer, type CallContext, type Carrier, clockOffsetMs, type Request } from './transport.js';

/** A vendor's clock, as far as its answers have told it. */
export class VendorClock {
  #offsetMs = 0;

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  learn(headers: Readonly<Record<string, unknown>>): void {
    this.#offsetMs = clockOffsetMs(headers);
  }
}

export interface Sent<S> {
  readonly signed: S;
  readonly answer: Answer;
}

/**
 * Signs and sends a request. After a 401 nothing was executed, and our clock may be off: the request is signed
 * again, once, by the vendor's clock.
 */
export async function sendSigned<S extends Request>(
  transport: Carrier,
  clock: VendorClock,
  sign: () => S,
  context: CallContext,
): Promise<Sent<S>> {
  const signed = sign();
  const answer = await transport.send(signed, context);
  if (answer.kind !== 'answer' || answer.status !== 401) return { signed, answer };
  clock.learn(answer.headers);
  const again = sign();
  return { signed: again, answer: await transport.send(again, context) };
}

/** A URL drops `.` and `..`, however they are written: the call would reach another resource. Null: the path is safe. */
export function unsafePath(path: string): Outcome<never> | null {
  const isUnsafe = path.split(/[/?]/).some((segment) => segment === '.' || segment === '..');
  return isUnsafe ? rejected('UNSAFE_PATH', 'this number cannot be part of a path') : null;
}
