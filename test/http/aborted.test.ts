import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../../src/app/logging.js';
import { Kit } from '../support/kit.js';

let kit: Kit;
let port: number;
const written: string[] = [];

beforeAll(async () => {
  kit = await Kit.create(
    'sqlite',
    {},
    { logger: createLogger('info', 'test', { write: (text) => written.push(text) }) },
  );
  port = Number(new URL(await kit.app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => kit.close());

it('a client that closes its connection in the middle of a body is no outage of the database', async () => {
  const socket = net.connect(port, '127.0.0.1');
  const closed = new Promise<void>((resolve) =>
    kit.app.server.once('request', (request: IncomingMessage) => request.once('close', resolve)),
  );
  const head = `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await kit.token('left')}\r\nIdempotency-Key: k\r\n`;
  const begun = new Promise<void>((resolve) => kit.app.server.once('request', () => resolve()));
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
  await begun;
  socket.resetAndDestroy();
  await closed;
  expect((await kit.call('GET', '/v1/events?limit=1')).status).toBe(200); // whatever is said of the other one is said before this answer
  expect(written.join('')).not.toContain('the database is not available');
  expect(written.join('')).not.toContain('request failed');
});
