/** The shapes that every vendor of this folder shares. They are written from the contract of the vendors alone and import nothing of the product. */

/** `path` is path and query without the vendor's base path; the names of headers are in lower case. */
export interface VendorRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `sent`: whether the request may have reached the vendor. `afterMs`: how long the answer, or its absence, takes; absent means at once. */
export type VendorAnswer =
  | { kind: 'answer'; status: number; headers: Record<string, string>; text: string; afterMs?: number }
  | {
      kind: 'no-answer';
      sent: boolean;
      code: 'ECONNRESET' | 'ECONNREFUSED' | 'ETIMEDOUT' | (string & {});
      afterMs?: number;
    };

/** Milliseconds since 1970. `later` carries out `work` once, `ms` from now. */
export interface Clock {
  now(): number;
  later(ms: number, work: () => void): void;
}

/** At least 0, less than 1. */
export type Random = () => number;

/** A request that a correct client would never send. */
export interface Complaint {
  readonly at: number;
  readonly call: string;
  readonly rule: string;
  readonly detail: string;
}

/** What a vendor means to answer, before any fault of the way spoils it. */
export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

export function reply(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body };
}

export class Complaints {
  readonly list: Complaint[] = [];
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(call: string, rule: string, detail = ''): void {
    this.list.push({ at: this.clock.now(), call, rule, detail });
  }
}
