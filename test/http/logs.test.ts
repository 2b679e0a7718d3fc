import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createLogger } from '../../src/app/logging.js';
import { Kit } from '../support/kit.js';

const line = z.object({
  level: z.string(),
  time: z.iso.datetime(),
  name: z.string(),
  pid: z.number(),
  build: z.string(),
  msg: z.string(),
});
const attemptLine = line.extend({
  event_id: z.string().regex(/^\d+$/),
  event_type: z.string(),
  order_no: z.string().nullable(),
  attempt: z.number().int().min(1),
  outcome: z.enum(['applied', 'rejected', 'not-applied', 'unknown']).nullable(),
  target: z.string(),
  duration_s: z.number().min(0),
  status: z.enum(['pending', 'handled', 'errored']),
  err: z.string().nullable(),
  decision: z.string(),
  request_id: z.string().nullable(),
  trace_id: z.string().regex(/^[0-9a-f]{32}$/),
  span_id: z.string().regex(/^[0-9a-f]{16}$/),
});
type AttemptLine = z.infer<typeof attemptLine>;

describe('the log', () => {
  let kit: Kit;
  const written: string[] = [];
  let orderId: string;
  beforeAll(async () => {
    kit = await Kit.create(
      'mariadb',
      {},
      { logger: createLogger('info', 'test', { write: (text) => written.push(text) }) },
    );
    ({ orderId } = await kit.parkedRefund(await kit.menu(), 'log1'));
  });
  afterAll(() => kit.close());

  const lines = () =>
    written
      .join('')
      .split('\n')
      .filter(Boolean)
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  const attempts = () =>
    lines().filter((one) => String(one.msg).startsWith('attempt ended')) as unknown as AttemptLine[];

  it('is one line for each end of an attempt, of the agreed fields', () => {
    for (const one of lines()) expect(line.safeParse(one).error?.message).toBeUndefined();
    expect(attempts().length).toBeGreaterThanOrEqual(5);
    for (const one of attempts()) expect(attemptLine.strict().safeParse(one).error?.message).toBeUndefined();
  });

  it('tells from an order number alone the same attempts as the order’s page', async () => {
    const order = await kit.read(orderId);
    const { timeline } = (
      await kit.call<{
        timeline: {
          kind: string;
          what: string;
          detail: { eventId: string; number: number; outcome: string };
        }[];
      }>('GET', `/v1/orders/${orderId}/timeline`)
    ).body;
    const told = timeline
      .filter(({ kind }) => kind === 'attempt')
      .map(({ what, detail }) => `${what} #${detail.eventId}.${detail.number} ${detail.outcome}`);
    const logged = attempts()
      .filter((one) => one.order_no === order.orderNo)
      .map((one) => `${one.event_type} #${one.event_id}.${one.attempt} ${one.outcome}`);
    expect(logged.sort()).toEqual(told.sort());
    const requestIds = new Set(
      attempts()
        .filter((one) => one.order_no === order.orderNo)
        .map((one) => one.request_id),
    );
    const requests = lines().filter(
      (one) => one.msg === 'request' && requestIds.has(one.request_id as string),
    );
    expect(requests.map((one) => one.route).sort()).toEqual(['/v1/orders', '/v1/orders/:id/cancel']);
  });
});
