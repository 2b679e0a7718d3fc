import type { Reply } from './vendor.js';
import { parseJson } from './wire.js';

/** A 200 that says nothing, or lies, after the work was done. */
export function malform(reply: Reply, variant = 'truncated'): Reply {
  const parsed = parseJson(reply.body) as Record<string, unknown> | undefined;
  switch (variant) {
    case 'html':
      return { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html><body>OK</body></html>' };
    case 'empty':
      return { status: 200, body: '' };
    case 'null':
      return { ...reply, body: 'null' };
    case 'null-data':
      return {
        ...reply,
        body: JSON.stringify({
          ...parsed,
          ...('data' in (parsed ?? {}) ? { data: null } : { result: null }),
        }),
      };
    case 'blank-id':
      return {
        ...reply,
        body: reply.body.replace(
          /("(?:orderId|tradeNo|outTradeNo|refundNo|outRefundNo|recordNo)":)"[^"]*"/g,
          '$1""',
        ),
      };
    case 'wrong-types':
      return {
        ...reply,
        body: JSON.stringify({ ...parsed, resultCode: 1, code: 'zero', errcode: '0', data: 'x', result: 7 }),
      };
    default:
      return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) };
  }
}
