/** How a vendor misbehaves: plain data, one row of the contract's table each, bound to the call that it spoils. */

export const CALLS = [
  'meican.add',
  'meican.delete',
  'meican.list',
  'energy.account',
  'energy.pay',
  'energy.queryPay',
  'energy.close',
  'energy.unpay',
  'energy.queryRefund',
  'energy.consume',
  'wecom.robot',
  'wecom.token',
  'wecom.message',
  'wecom.userinfo',
] as const;
export type Call = (typeof CALLS)[number];
export type Vendor = 'meican' | 'energy' | 'wecom';

export const MALFORMED = [
  'truncated',
  'html',
  'empty',
  'null',
  'null-data',
  'blank-id',
  'wrong-types',
] as const;
export type Malformed = (typeof MALFORMED)[number];

export type FaultKind =
  | { kind: 'latency'; ms: number }
  | {
      kind:
        | 'hang-before'
        | 'hang-after'
        | 'reset-before'
        | 'reset-after'
        | 'drip'
        | 'idle-close'
        | 'refuse-connection';
    }
  | { kind: 'status-before' | 'status-after'; status: 500 | 502 | 503 | 504; html?: boolean }
  | { kind: 'malformed-after'; form: Malformed }
  | { kind: 'oversize'; bytes: number }
  /** 504 now; the effect `ms` later, and questions know nothing of it until then. */
  | { kind: 'late-effect'; ms: number }
  /** Answered as done, and nothing was done. */
  | { kind: 'lost-effect' }
  /** `own`: the meal is created and its id told under the multi code; `none`: created, the id is not told; `foreign`: someone else's meal stands there, ours is not created; `foreign-dish`: and it is another dish. */
  | { kind: 'multi'; id: 'own' | 'foreign' | 'foreign-dish' | 'none' }
  /** The meal is cancelled by another hand just before; the answer is the verbatim NOT_FOUND. */
  | { kind: 'already-cancelled' }
  /** A final refusal by result code, nothing done. */
  | { kind: 'refused'; code: string }
  | { kind: 'rate-limit'; retryAfterS: number; form: 'http' | 'code' }
  /** PROCESSING now, settled after `ms`; queries see the books as they were `queryLagMs` ago. */
  | { kind: 'processing'; ms: number; to: 'SUCCESS' | 'FAILED'; queryLagMs: number }
  /** FAILED at once: recorded, nothing moved. */
  | { kind: 'failed' }
  /** A question sees the books as they were `ms` ago. */
  | { kind: 'read-lag'; ms: number }
  /** A question says "no such thing" of what is PROCESSING or younger than `youngMs`. */
  | { kind: 'not-found'; youngMs: number }
  /** 401 to a well-signed request, nothing done: the clocks differ. */
  | { kind: 'skew' }
  /** The access token is refused, though it is valid. */
  | { kind: 'token'; code: 40014 | 42001 }
  | { kind: 'silent-drop' };

export type Fault = { readonly call: Call } & FaultKind;

export function vendorOf(call: Call): Vendor {
  return call.slice(0, call.indexOf('.')) as Vendor;
}

/** True where the caller cannot know from the answer whether the effect took place. */
export function leavesDoubt(fault: Fault | undefined): boolean {
  switch (fault?.kind) {
    case undefined:
    case 'lost-effect':
    case 'already-cancelled':
    case 'refused':
    case 'rate-limit':
    case 'failed':
    case 'read-lag':
    case 'not-found':
    case 'skew':
    case 'token':
    case 'silent-drop':
    case 'refuse-connection':
      return false;
    case 'multi':
      return fault.id === 'none';
    case 'latency':
    case 'hang-before':
    case 'hang-after':
    case 'reset-before':
    case 'reset-after':
    case 'drip':
    case 'idle-close':
    case 'status-before':
    case 'status-after':
    case 'malformed-after':
    case 'oversize':
    case 'late-effect':
    case 'processing':
      return true;
  }
}
