import type { Durations } from '../every-fault.js';
import {
  type Call,
  FALSE_NOTES,
  type FalseNote,
  type FaultKind,
  type PayerCall,
  type PayerName,
  UNSIGNED,
} from '../fault.js';

export const isNotification = (call: Call): call is 'wechat.notify' | 'alipay.notify' =>
  call === 'wechat.notify' || call === 'alipay.notify';

/** What Alipay's notification has no place for: it has no serial, no currency, and no age. */
const NOT_AT_ALIPAY: readonly FalseNote[] = ['other-currency', 'stale', 'unknown-serial', 'probe'];

/** How a notification of this payer can be false. */
export const falseNotes = (payer: PayerName): FalseNote[] =>
  FALSE_NOTES.filter((form) => payer === 'wechat' || !NOT_AT_ALIPAY.includes(form));

/** What can become of a notification. */
export function ofNotification(call: 'wechat.notify' | 'alipay.notify', d: Durations): FaultKind[] {
  return [
    { kind: 'notify-lost' },
    { kind: 'notify-doubled' },
    { kind: 'notify-late', ms: d.lateMs },
    ...falseNotes(call === 'wechat.notify' ? 'wechat' : 'alipay').map(
      (form): FaultKind => ({ kind: 'notify-false', form }),
    ),
  ];
}

/** What a payer's call can meet beside the faults of the way. */
export function ofPayer(call: PayerCall, d: Durations): FaultKind[] {
  const forms = call.startsWith('alipay')
    ? UNSIGNED.filter((form) => !['unknown-serial', 'probe'].includes(form)) // Alipay's signature names no serial
    : UNSIGNED;
  return [
    { kind: 'rate-limit', retryAfterS: d.retryAfterS, form: 'http' },
    ...(call.startsWith('wechat') ? [{ kind: 'skew' } as const] : []),
    ...forms.map((form): FaultKind => ({ kind: 'unsigned', form })),
    ...ofCall(call, d),
  ];
}

function ofCall(call: PayerCall, d: Durations): FaultKind[] {
  const stale: FaultKind[] = [
    { kind: 'read-lag', ms: d.lagMs },
    { kind: 'not-found', youngMs: d.lagMs },
  ];
  const slow = (['SUCCESS', 'FAILED'] as const).flatMap((to): FaultKind[] =>
    [0, d.lagMs].map((queryLagMs) => ({ kind: 'processing', ms: d.processingMs, to, queryLagMs })),
  );
  const refused = (...codes: string[]): FaultKind[] => codes.map((code) => ({ kind: 'refused', code }));
  switch (call) {
    case 'wechat.create':
      return [{ kind: 'paid-early', ms: d.latencyMs }, ...refused('PARAM_ERROR', 'NO_AUTH', 'SYSTEM_ERROR')];
    case 'alipay.create':
      return [
        { kind: 'paid-early', ms: d.latencyMs },
        ...refused('ACQ.INVALID_PARAMETER', 'ACQ.ACCESS_FORBIDDEN', 'aop.ACQ.SYSTEM_ERROR'),
      ];
    case 'wechat.query':
    case 'alipay.query':
      return [{ kind: 'user-paying', ms: d.processingMs }, ...stale];
    case 'wechat.close':
      return [
        { kind: 'paid-before' },
        { kind: 'user-paying', ms: d.processingMs },
        ...refused('INVALID_REQUEST', 'SYSTEM_ERROR'),
      ];
    case 'alipay.close':
      return [{ kind: 'paid-before' }, ...refused('aop.ACQ.SYSTEM_ERROR')];
    case 'wechat.refund':
      return [
        ...slow,
        { kind: 'failed' },
        { kind: 'abnormal', ms: null },
        { kind: 'abnormal', ms: d.processingMs },
        ...refused('NOT_ENOUGH', 'SYSTEM_ERROR'),
      ];
    case 'alipay.refund':
      return [
        ...slow,
        { kind: 'failed' },
        ...refused('ACQ.SELLER_BALANCE_NOT_ENOUGH', 'aop.ACQ.SYSTEM_ERROR'),
      ];
    case 'wechat.queryRefund':
    case 'alipay.queryRefund':
      return stale;
    case 'wechat.notify':
    case 'alipay.notify':
      return [];
  }
}
