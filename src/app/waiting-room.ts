import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Problem, problemBody } from '../base/problems.js';

const RETRY_AFTER_S = 5;

/** What an API process answers while it waits for its database: it lives, and can serve nothing yet. */
export class WaitingRoom {
  #server: http.Server | undefined;

  constructor(private readonly address: { readonly host: string; readonly port: number }) {}

  async open(): Promise<void> {
    if (this.#server) return;
    const server = http.createServer(answer);
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(this.address.port, this.address.host, resolve),
    );
    this.#server = server;
  }

  get port(): number | undefined {
    return (this.#server?.address() as AddressInfo | undefined)?.port;
  }

  /** Gives the port free. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  request.resume();
  if (path === '/livez') {
    response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end('{"status":"ok"}');
    return;
  }
  const problem = new Problem('dependency-unavailable', {
    detail: 'the database does not answer; this process waits for it',
    retryAfterS: RETRY_AFTER_S,
  });
  response
    .writeHead(problem.status, {
      'Content-Type': 'application/problem+json',
      'Retry-After': String(RETRY_AFTER_S),
    })
    .end(JSON.stringify(problemBody(problem, path.slice(0, 200), randomUUID())));
}
