import type { Fault, Malformed } from './fault.js';
import type { Clock, Reply, VendorAnswer } from './vendor.js';

/** How a reply travels. `cut`: the connection ends half-way through the body. */
type Manner = 'whole' | 'cut' | 'drip' | 'hang' | 'reset' | 'refuse';
export interface Delivery {
  readonly manner: Manner;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly afterMs: number;
}

/**
 * Carries out `work` (the checks, the effect on the books, the reply) as the fault has it: before, after, later or never, and spoils the reply on its way.
 * Faults that are an answer of the vendor's own (PROCESSING, refusals, lagging views, lost effects) are `work`'s business.
 */
export function misbehave(fault: Fault | undefined, clock: Clock, work: () => Reply): Delivery {
  switch (fault?.kind) {
    case 'latency':
    case 'paid-early':
      return { ...whole(work()), afterMs: fault.ms };
    case 'hang-before':
      return nothing('hang');
    case 'hang-after':
      work();
      return nothing('hang');
    case 'reset-before':
    case 'idle-close':
      return nothing('reset');
    case 'reset-after':
      work();
      return nothing('reset');
    case 'refuse-connection':
      return nothing('refuse');
    case 'status-before':
      return gateway(fault.status, fault.html === true);
    case 'status-after':
      work();
      return gateway(fault.status, fault.html === true);
    case 'late-effect':
      clock.later(fault.ms, work);
      return gateway(504, true);
    case 'malformed-after':
      return malformed(work(), fault.form);
    case 'drip':
      return { ...whole(work()), manner: 'drip' };
    case 'oversize':
      return oversize(work(), fault.bytes);
    case undefined:
    case 'lost-effect':
    case 'multi':
    case 'already-cancelled':
    case 'refused':
    case 'rate-limit':
    case 'processing':
    case 'failed':
    case 'read-lag':
    case 'not-found':
    case 'skew':
    case 'token':
    case 'silent-drop':
    case 'unsigned':
    case 'paid-before':
    case 'user-paying':
    case 'abnormal':
    case 'notify-lost':
    case 'notify-doubled':
    case 'notify-late':
    case 'notify-false':
      return whole(work());
  }
}

/** The answer as a caller without sockets sees it. A body that drips outlives every deadline. */
export function toAnswer(delivery: Delivery): VendorAnswer {
  const late = delivery.afterMs > 0 ? { afterMs: delivery.afterMs } : {};
  switch (delivery.manner) {
    case 'whole':
      return {
        kind: 'answer',
        status: delivery.status,
        headers: delivery.headers,
        text: delivery.text,
        ...late,
      };
    case 'cut':
      return {
        kind: 'answer',
        status: delivery.status,
        headers: delivery.headers,
        text: delivery.text.slice(0, delivery.text.length >> 1),
        ...late,
      };
    case 'drip':
    case 'hang':
      return { kind: 'no-answer', sent: true, code: 'ETIMEDOUT', ...late };
    case 'reset':
      return { kind: 'no-answer', sent: true, code: 'ECONNRESET', ...late };
    case 'refuse':
      return { kind: 'no-answer', sent: false, code: 'ECONNREFUSED', ...late };
  }
}

function whole(answer: Reply): Delivery {
  return {
    manner: 'whole',
    status: answer.status,
    headers: answer.headers,
    text: answer.body === undefined ? '' : JSON.stringify(answer.body),
    afterMs: 0,
  };
}

function nothing(manner: 'hang' | 'reset' | 'refuse'): Delivery {
  return { manner, status: 0, headers: {}, text: '', afterMs: 0 };
}

function page(status: number, html: string): Delivery {
  return { manner: 'whole', status, headers: { 'content-type': 'text/html' }, text: html, afterMs: 0 };
}

function gateway(status: number, html: boolean): Delivery {
  if (html)
    return page(
      status,
      `<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center><hr>nginx</body></html>`,
    );
  return {
    ...page(status, JSON.stringify({ error: 'gateway', status })),
    headers: { 'content-type': 'application/json' },
  };
}

function malformed(answer: Reply, form: Malformed): Delivery {
  const good = whole(answer);
  switch (form) {
    case 'truncated':
      return { ...good, manner: 'cut' };
    case 'html':
      return page(200, '<html><body>系统维护中</body></html>');
    case 'empty':
      return { ...good, text: '' };
    case 'null':
      return { ...good, text: 'null' };
    case 'null-data':
      return {
        ...good,
        text: JSON.stringify(answer.body, (key, value: unknown) => (PAYLOADS.includes(key) ? null : value)),
      };
    case 'blank-id':
      return {
        ...good,
        text: JSON.stringify(answer.body, (key, value: unknown) => (IDS.includes(key) ? '' : value)),
      };
    case 'wrong-types':
      return {
        ...good,
        text: JSON.stringify(answer.body, (key, value: unknown) => (key === '' ? value : wrongType(value))),
      };
  }
}

/** The members that hold what was asked for: of Meican, of the energy center, of WeCom, of the payers. */
const PAYLOADS = [
  ...['data', 'result', 'errcode', 'access_token'],
  ...['code_url', 'trade_state', 'refund_id', 'qr_code', 'trade_status', 'fund_change', 'refund_status'],
];
const IDS = [
  'orderId',
  'tradeNo',
  'outTradeNo',
  'refundNo',
  'outRefundNo',
  'recordNo',
  'accountNo',
  'status',
  'access_token',
  'msgid',
  'userid',
  ...['code_url', 'qr_code', 'out_trade_no', 'transaction_id', 'trade_state', 'trade_status', 'trade_no'],
  ...['refund_id', 'out_refund_no', 'fund_change', 'refund_status'],
];

function wrongType(value: unknown): unknown {
  if (typeof value === 'string') return true;
  if (typeof value === 'number') return 'many';
  return typeof value === 'boolean' ? 'maybe' : value;
}

function oversize(answer: Reply, bytes: number): Delivery {
  const body =
    typeof answer.body === 'object' && answer.body !== null
      ? { ...answer.body, padding: 'x'.repeat(bytes) }
      : answer.body;
  return whole({ ...answer, body });
}
