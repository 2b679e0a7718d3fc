// A closed loop of so many connections, in a process of its own. Told by its parent: { urls, connections, requests: [{ path, token, key, body }] }; several servers take turns.
import http from 'node:http';
import { quantile } from './measure.mjs';

process.on('disconnect', () => process.exit(0));
process.on('message', async ({ urls, connections, requests }) => {
  const servers = urls.map((url) => ({
    hostname: new URL(url).hostname,
    port: new URL(url).port,
    agent: new http.Agent({ keepAlive: true, maxSockets: connections }),
  }));
  const times = [];
  const statuses = {};
  const bodies = [];
  let next = 0;
  const send = ({ path, token, key, body }, server) =>
    new Promise((resolve) => {
      const text = JSON.stringify(body);
      const startedMs = performance.now();
      const headers = {
        authorization: `Bearer ${token}`,
        'idempotency-key': key,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      };
      const request = http.request({ ...server, path, method: 'POST', headers }, (response) => {
        let answer = '';
        response.on('data', (chunk) => {
          answer += chunk;
        });
        response.once('end', () => {
          times.push(performance.now() - startedMs);
          statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1;
          bodies.push(answer);
          resolve();
        });
      });
      request.once('error', () => {
        statuses[0] = (statuses[0] ?? 0) + 1;
        resolve();
      });
      request.end(text);
    });
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async (_, i) => {
      while (next < requests.length) await send(requests[next++], servers[i % servers.length]);
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  for (const { agent } of servers) agent.destroy();
  process.send({
    perS: Math.round(requests.length / seconds),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    max: Math.max(...times),
    statuses,
    bodies,
  });
});
process.send('ready');
