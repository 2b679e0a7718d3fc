import {
  type Call,
  type Fault,
  type FaultKind,
  isPayerCall,
  MALFORMED,
  type PayerCall,
  vendorOf,
} from './fault.js';
import { isNotification, ofNotification, ofPayer } from './payers/faults.js';

/** How long the faults of a list last. The lags lie inside the caller's settle window, as the contract promises. */
export interface Durations {
  readonly latencyMs: number;
  readonly lateMs: number;
  readonly processingMs: number;
  readonly lagMs: number;
  readonly retryAfterS: number;
  readonly oversizeBytes: number;
}

const QUESTIONS: readonly Call[] = [
  'meican.list',
  'energy.account',
  'energy.queryPay',
  'energy.queryRefund',
  'wecom.token',
  'wecom.userinfo',
  'wechat.query',
  'wechat.queryRefund',
  'alipay.query',
  'alipay.queryRefund',
];

export const isQuestion = (call: Call): boolean => QUESTIONS.includes(call);

/** Every row of the contract's table of misbehaviour that makes sense on this call. */
export function everyFault(call: Call, durations: Durations): Fault[] {
  const kinds = isNotification(call)
    ? ofNotification(call, durations)
    : [
        ...ofTheWay(durations),
        ...(isQuestion(call) ? [] : ofWrites(durations)),
        ...(isPayerCall(call)
          ? ofPayer(call, durations)
          : [...ofLimits(call, durations), ...ofCall(call, durations)]),
      ];
  return kinds.filter((kind) => makesSense(call, kind)).map((kind) => ({ call, ...kind }));
}

/** WeChat's close answers 204: there is no body that could be spoilt. */
function makesSense(call: Call, kind: FaultKind): boolean {
  if (call !== 'wechat.close') return true;
  return kind.kind === 'malformed-after'
    ? kind.form === 'html'
    : kind.kind !== 'oversize' && kind.kind !== 'drip';
}

function ofTheWay(d: Durations): FaultKind[] {
  return [
    { kind: 'latency', ms: d.latencyMs },
    { kind: 'hang-before' },
    { kind: 'reset-before' },
    ...([500, 502, 503, 504] as const).map(
      (status): FaultKind => ({ kind: 'status-before', status, html: status === 502 }),
    ),
    ...MALFORMED.map((form): FaultKind => ({ kind: 'malformed-after', form })),
    { kind: 'drip' },
    { kind: 'idle-close' },
    { kind: 'refuse-connection' },
    { kind: 'oversize', bytes: d.oversizeBytes },
  ];
}

function ofWrites(d: Durations): FaultKind[] {
  return [
    { kind: 'hang-after' },
    { kind: 'reset-after' },
    ...([500, 502, 503, 504] as const).map(
      (status): FaultKind => ({ kind: 'status-after', status, html: status === 502 }),
    ),
    { kind: 'late-effect', ms: d.lateMs },
    { kind: 'lost-effect' },
  ];
}

function ofLimits(call: Call, d: Durations): FaultKind[] {
  const code: FaultKind = { kind: 'rate-limit', retryAfterS: d.retryAfterS, form: 'code' };
  return vendorOf(call) === 'wecom' ? [code] : [code, { ...code, form: 'http' }, { kind: 'skew' }];
}

function ofCall(call: Exclude<Call, PayerCall>, d: Durations): FaultKind[] {
  const processing = (to: 'SUCCESS' | 'FAILED', queryLagMs: number): FaultKind => ({
    kind: 'processing',
    ms: d.processingMs,
    to,
    queryLagMs,
  });
  const stale: FaultKind[] = [
    { kind: 'read-lag', ms: d.lagMs },
    { kind: 'not-found', youngMs: d.lagMs },
  ];
  const slow = [
    processing('SUCCESS', 0),
    processing('SUCCESS', d.lagMs),
    processing('FAILED', 0),
    processing('FAILED', d.lagMs),
    { kind: 'failed' } as const,
  ];
  const refused = (...codes: string[]): FaultKind[] => codes.map((code) => ({ kind: 'refused', code }));
  switch (call) {
    case 'meican.add':
      return [
        ...refused('ORDER_CLOSED', 'DISH_NOT_AVAILABLE', 'PRICE_CHANGED', 'NOT_FOUND'),
        { kind: 'multi', id: 'own' },
        { kind: 'multi', id: 'foreign' },
        { kind: 'multi', id: 'foreign-dish' },
        { kind: 'multi', id: 'none' },
      ];
    case 'meican.delete':
      return [...refused('ORDER_CLOSED'), { kind: 'already-cancelled' }];
    case 'energy.pay':
      return [...refused('40201', '40301', '40403', '50001', '50002'), ...slow];
    case 'energy.unpay':
      return [...refused('50001', '50002'), ...slow];
    case 'energy.close':
    case 'energy.consume':
      return refused('50001');
    case 'energy.queryPay':
    case 'energy.queryRefund':
      return [...refused('50001'), ...stale];
    case 'meican.list':
      return stale;
    case 'energy.account':
      return refused('50001');
    case 'wecom.robot':
      return [...refused('-1', '93000'), { kind: 'silent-drop' }];
    case 'wecom.message':
      return [
        ...refused('-1', '81013'),
        { kind: 'silent-drop' },
        { kind: 'token', code: 40014 },
        { kind: 'token', code: 42001 },
      ];
    case 'wecom.token':
      return refused('-1', '40001');
    case 'wecom.userinfo':
      return refused('40029');
  }
}
