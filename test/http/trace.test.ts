import { SpanKind, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { Kit } from '../support/kit.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;

describe('one trace from the request to the vendor', () => {
  const kits: Kit[] = [];
  afterEach(async () => {
    trace.disable();
    for (const kit of kits.splice(0)) await kit.close();
  });

  async function placed(kit: Kit): Promise<string> {
    const answer = await kit.call<{ orders: { id: string }[] }>('POST', '/v1/orders', {
      as: 't1',
      body: kit.orderBody(await kit.menu()),
      headers: { traceparent },
    });
    expect(answer.status).toBe(201);
    return answer.body.orders[0]?.id ?? '';
  }

  it('by spans, when an SDK listens: also when the attempt is made later by another process', async () => {
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    const api = await Kit.create('mariadb');
    kits.push(api);
    const orderId = await placed(api);
    const [row] = await api.database.query<{ traceparent: string }>(
      sql`SELECT traceparent FROM outbox_event WHERE subject_id = ${orderId} AND type = 'MEICAN_NEW_V2_ORDER'`,
    );
    const scheduler = await Kit.create('mariadb', {
      DATABASE_URL: api.env.DATABASE_URL ?? '',
      MEICAN_BASE_URL: api.env.MEICAN_BASE_URL ?? '',
    });
    kits.push(scheduler);
    await scheduler.runDue();
    const spans = exporter.getFinishedSpans();
    const ours = spans.filter((span) => span.spanContext().traceId === TRACE);
    const one = (kind: SpanKind, name: string) =>
      ours.find((span) => span.kind === kind && span.name.includes(name));
    const request = one(SpanKind.SERVER, 'POST /v1/orders');
    const attempt = one(SpanKind.CONSUMER, 'process MEICAN_NEW_V2_ORDER');
    const call = one(SpanKind.CLIENT, 'POST /meican');
    expect(request?.attributes).toMatchObject({
      'http.route': '/v1/orders',
      'http.response.status_code': 201,
    });
    expect(row?.traceparent).toContain(request?.spanContext().spanId);
    expect(attempt?.links.map((link) => link.context.spanId)).toEqual([request?.spanContext().spanId]);
    expect(attempt?.attributes).toMatchObject({
      'messaging.destination.name': 'MEICAN_NEW_V2_ORDER',
      'lunchbox.outcome': 'applied',
    });
    expect(call?.parentSpanContext?.spanId).toBe(attempt?.spanContext().spanId);
    expect(api.sandbox.requests.at(-1)?.traceparent).toBe(`00-${TRACE}-${call?.spanContext().spanId}-01`);
    expect(JSON.stringify(spans.map(({ attributes, name }) => [name, attributes]))).not.toContain(
      'example.com',
    );
  });

  it('by its id alone, when none does', async () => {
    const kit = await Kit.create('sqlite');
    kits.push(kit);
    await placed(kit);
    await kit.runDue();
    const seen = kit.sandbox.requests.map((request) => request.traceparent);
    expect(seen.length).toBeGreaterThan(1);
    for (const one of seen) expect(one).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(new Set(seen).size).toBe(seen.length);
  });
});
