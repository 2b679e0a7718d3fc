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
/** `notify` is no call of ours: the payer calls us. */
export const PAYER_CALLS = [
  'wechat.create',
  'wechat.query',
  'wechat.close',
  'wechat.refund',
  'wechat.queryRefund',
  'wechat.notify',
  'alipay.create',
  'alipay.query',
  'alipay.close',
  'alipay.refund',
  'alipay.queryRefund',
  'alipay.notify',
] as const;
export type PayerCall = (typeof PAYER_CALLS)[number];
export const isPayerCall = (call: Call): call is PayerCall => PAYER_CALLS.includes(call as PayerCall);
export type Call = (typeof CALLS)[number] | PayerCall;
export type Vendor = 'meican' | 'energy' | 'wecom';
export type PayerName = 'wechat' | 'alipay';

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

/** How the signature of an answer is no proof. `other-body`: it is genuine, and was made for another answer. */
export const UNSIGNED = ['absent', 'empty', 'other-key', 'other-body', 'unknown-serial', 'probe'] as const;
export type Unsigned = (typeof UNSIGNED)[number];

/** How a notification is false. The first five are signed by the payer. */
export const FALSE_NOTES = [
  'other-merchant',
  'other-application',
  'other-amount',
  'other-currency',
  'unknown-payment',
  'forged',
  'stale',
  'unknown-serial',
  'probe',
  'unsigned',
  'altered',
  'unreadable',
] as const;
export type FalseNote = (typeof FALSE_NOTES)[number];

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
  | { kind: 'silent-drop' }
  | PayerFaultKind;

/** Rows 23 to 30 of the contract, and what else only a payer can do. */
type PayerFaultKind =
  | { kind: 'unsigned'; form: Unsigned }
  /** The code is scanned and paid, and the notification sent, `ms` before the create is answered. */
  | { kind: 'paid-early'; ms: number }
  /** The diner pays right before this call is carried out. */
  | { kind: 'paid-before' }
  /** The diner is typing a password: paid `ms` later. */
  | { kind: 'user-paying'; ms: number }
  /** The refund is ABNORMAL until it settles after `ms`; null: until a person settles it. */
  | { kind: 'abnormal'; ms: number | null }
  | { kind: 'notify-lost' | 'notify-doubled' }
  | { kind: 'notify-late'; ms: number }
  /** A false notification comes first, the genuine one after it. */
  | { kind: 'notify-false'; form: FalseNote };

export type Fault = { readonly call: Call } & FaultKind;

export function vendorOf(call: Call): Vendor | PayerName {
  return call.slice(0, call.indexOf('.')) as Vendor | PayerName;
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
    case 'paid-before':
    case 'user-paying':
    case 'abnormal':
    case 'notify-lost':
    case 'notify-doubled':
    case 'notify-late':
    case 'notify-false':
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
    case 'unsigned':
    case 'paid-early':
      return true;
  }
}
