import type { ServerResponse } from 'node:http';
import type { Delivery } from './misbehave.js';

const DRIP_EVERY_MS = 200;
const DRIP_BYTES = 3;

/** Brings a delivery to the caller over its real socket, or leaves it without an answer in the manner asked for. */
export function travel(delivery: Delivery, response: ServerResponse): void {
  if (delivery.afterMs === 0) leave(delivery, response);
  else setTimeout(() => leave(delivery, response), delivery.afterMs).unref();
}

function leave(delivery: Delivery, response: ServerResponse): void {
  if (response.destroyed) return;
  switch (delivery.manner) {
    case 'whole':
      response
        .writeHead(delivery.status, {
          ...delivery.headers,
          'content-length': Buffer.byteLength(delivery.text),
        })
        .end(delivery.text);
      return;
    case 'cut':
      cut(delivery, response);
      return;
    case 'drip':
      drip(delivery, response);
      return;
    case 'hang':
      return;
    case 'reset':
    case 'refuse':
      response.socket?.resetAndDestroy();
  }
}

/** The head promises a whole body; the connection ends half-way. */
function cut(delivery: Delivery, response: ServerResponse): void {
  const bytes = Buffer.from(delivery.text);
  response.writeHead(delivery.status, { ...delivery.headers, 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
}

/** A few bytes at a time, for ever: after the body's own bytes come blanks, so that only a deadline ends it. */
function drip(delivery: Delivery, response: ServerResponse): void {
  const bytes = Buffer.from(delivery.text);
  response.writeHead(delivery.status, { ...delivery.headers, 'content-length': bytes.length + 1_000_000 });
  let at = 0;
  const timer = setInterval(() => {
    response.write(at < bytes.length ? bytes.subarray(at, at + DRIP_BYTES) : ' '.repeat(DRIP_BYTES));
    at += DRIP_BYTES;
  }, DRIP_EVERY_MS).unref();
  response.on('close', () => clearInterval(timer));
}
