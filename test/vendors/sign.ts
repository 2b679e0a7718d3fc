import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Meican: over token and timestamp alone; the body is not signed. */
export function meicanSignature(corpToken: string, timestamp: string): string {
  return createHash('sha1').update(`${corpToken}${timestamp}`).digest('hex');
}

export interface EnergySigned {
  readonly method: string;
  /** Path and query as the server sees them, with any prefix. */
  readonly path: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly body: string;
}

export function energySignature(secret: string, of: EnergySigned): string {
  return createHmac('sha256', secret)
    .update(`${of.method}\n${of.path}\n${of.timestamp}\n${of.nonce}\n${of.body}\n`)
    .digest('hex');
}

export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
