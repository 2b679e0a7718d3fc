import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createServer } from '../../src/http/server.js';

const limits = {
  docsOpen: false,
  readOnly: false,
  trustedProxies: 0,
  rateLimitPerMinute: 1000,
  rateLimitUserPerMinute: 1000,
};
const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: lunchbox.test\r\n\r\n`;

/** A client that keeps its connection, as every proxy does, may send its next request while the process stops. */
it('a request that arrives while the process stops is told so as a problem; one that runs is answered', async () => {
  const app = await createServer({
    logger: pino({ level: 'silent' }),
    authenticate: () => Promise.reject(new Error('not asked')),
    ...limits,
  });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  app.get('/livez', async () => {
    await held;
    return 'kept';
  });
  app.get('/readyz', async () => 'not reached');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = net.connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.write(ask('/livez'));
  await once(app.server, 'request');
  const stopping = app.close();
  socket.write(ask('/readyz'));
  await once(app.server, 'request');
  release();
  await Promise.all([stopping, once(socket, 'close')]);
  const [first = '', second = ''] = answer.split(/(?=HTTP\/1\.1 503)/);
  expect(first).toMatch(/^HTTP\/1\.1 200 [\s\S]*kept$/);
  expect(second).toMatch(/\r\ncontent-type: application\/problem\+json/i);
  expect(second).toMatch(/\r\nretry-after: 1\r\n/i);
  expect(JSON.parse(second.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    code: 'dependency-unavailable',
    status: 503,
    retryable: true,
    instance: '/readyz',
  });
});
