import { EnergyClient } from '../../src/clients/energy.js';
import type { Answer, Carrier, Request } from '../../src/clients/transport.js';

export type EnergyCall = 'pay' | 'queryPay' | 'closePay' | 'unPay' | 'queryRefund';
/** A state in a good answer, a code, an HTTP status, `silence` (sent, no answer), `unreached` (surely not sent), `nonsense`, or a payment with so much refunded. */
export type Reply =
  | 'SUCCESS'
  | 'PROCESSING'
  | 'FAILED'
  | 'CLOSED'
  | 'silence'
  | 'unreached'
  | 'nonsense'
  | number
  | { http: number }
  | { refunded: number };
export type Script = Partial<Record<EnergyCall, Reply | readonly Reply[]>>;

export const PRICE = 2300;

/** The real client over a vendor that answers each call by its script; the last reply stays. `heard` names the calls in their order. */
export function scriptedEnergy(script: Script): { energy: EnergyClient; heard: EnergyCall[] } {
  const heard: EnergyCall[] = [];
  const carrier: Carrier = {
    pathOf: (path) => path,
    close: () => {},
    async send(request) {
      const call = callOf(request);
      const replies = [script[call] ?? []].flat();
      const reply = replies[Math.min(heard.filter((one) => one === call).length, replies.length - 1)];
      heard.push(call);
      if (reply === undefined) throw new Error(`the script has no reply to ${call}`);
      return answerOf(reply, request);
    },
  };
  return {
    energy: new EnergyClient(
      { baseUrl: 'http://energy', appId: 'a', appSecret: 's', timeoutMs: 1_000 },
      carrier,
    ),
    heard,
  };
}

function callOf({ method, path }: Request): EnergyCall {
  if (path.startsWith('/v1/unpay')) return method === 'POST' ? 'unPay' : 'queryRefund';
  if (path.endsWith('/close')) return 'closePay';
  return method === 'POST' ? 'pay' : 'queryPay';
}

function answerOf(reply: Reply, request: Request): Answer {
  if (reply === 'silence') return { kind: 'no-answer', sent: true, code: 'TIMEOUT' };
  if (reply === 'unreached') return { kind: 'no-answer', sent: false, code: 'ECONNREFUSED' };
  if (reply === 'nonsense') return text(200, '{"code":0,"result":null}');
  if (typeof reply === 'number')
    return text(200, JSON.stringify({ code: reply, message: 'as the script says', result: null }));
  if (typeof reply === 'object' && 'http' in reply) return text(reply.http, 'a gateway');
  const body = (request.body ? JSON.parse(request.body) : {}) as {
    outTradeNo?: string;
    outRefundNo?: string;
  };
  const last = decodeURIComponent(
    request.path
      .replace(/\/close$/, '')
      .split('/')
      .at(-1) ?? '',
  );
  const status = typeof reply === 'object' ? 'SUCCESS' : reply;
  const result = {
    tradeNo: 'T1',
    refundNo: 'F1',
    outTradeNo: body.outTradeNo ?? last,
    outRefundNo: body.outRefundNo ?? last,
    status,
    amount: PRICE,
    refundedAmount: typeof reply === 'object' ? reply.refunded : 0,
    fundChange: 'Y',
  };
  return text(200, JSON.stringify({ code: 0, message: 'success', result }));
}

function text(status: number, body: string): Answer {
  return { kind: 'answer', status, headers: {}, text: body };
}
