import { randomUUID } from 'node:crypto';
import {
  type Attributes,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A W3C `traceparent` that continues `parent` with a span of its own, or starts a new trace. */
export function childTraceparent(parent: string | null | undefined): string {
  const [, traceId, , flags] = TRACEPARENT.exec(parent ?? '') ?? [];
  const valid = traceId !== undefined && !/^0+$/.test(traceId);
  return `00-${valid ? traceId : randomHex()}-${randomHex().slice(-16)}-${valid ? flags : '01'}`;
}

/** 32 hex digits. A version 4 UUID, all but six bits of it random: Node draws those in advance, which bytes of one's own are not. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

/** Trace and span id of a `traceparent`, for a log line. */
export function idsOf(traceparent: string): { trace_id: string; span_id: string } {
  const [, traceId = '', spanId = ''] = TRACEPARENT.exec(traceparent) ?? [];
  return { trace_id: traceId, span_id: spanId };
}

export interface Span {
  /** To be handed to whatever is called within it. */
  readonly traceparent: string;
  end(attributes?: Attributes, errorType?: string | null): void;
}

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT } as const;

/**
 * A span that continues `parent`, told to whatever OpenTelemetry SDK the process was started with. Without one nothing is told, and the
 * `traceparent` is made by hand: the trace goes on all the same. `link` points at what caused it, which may be hours ago and elsewhere.
 */
export function startSpan(
  kind: keyof typeof kinds,
  name: string,
  parent: string | null,
  attributes: Attributes = {},
  link: string | null = null,
): Span {
  const from = contextOf(parent);
  const linked = contextOf(link);
  const span = trace
    .getTracer('lunchbox')
    .startSpan(
      name,
      { kind: kinds[kind], attributes, links: linked ? [{ context: linked }] : [] },
      from ? trace.setSpanContext(ROOT_CONTEXT, from) : ROOT_CONTEXT,
    );
  if (!span.isRecording()) return { traceparent: childTraceparent(parent), end: () => {} };
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    end(more = {}, errorType = null) {
      span.setAttributes({ ...more, ...(errorType === null ? {} : { 'error.type': errorType }) });
      if (errorType !== null) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function contextOf(traceparent: string | null): SpanContext | null {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  return traceId && spanId && flags
    ? { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
    : null;
}
