import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A W3C `traceparent` that continues `parent` with a span of its own, or starts a new trace. */
export function childTraceparent(parent: string | null | undefined): string {
  const [, traceId, , flags] = TRACEPARENT.exec(parent ?? '') ?? [];
  const valid = traceId !== undefined && !/^0+$/.test(traceId);
  return `00-${valid ? traceId : randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${valid ? flags : '01'}`;
}
