import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Runtime } from './runtime.js';

/** Metrics on a port of their own, for a scraper without a token; keep it off the public network. */
export async function startMetrics(
  { metrics, settings }: Runtime,
  port: number,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics')
      return void response.writeHead(404).end();
    metrics.scrape().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(port, settings.HOST);
  await once(server, 'listening');
  return {
    close: async () => {
      server.closeIdleConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
