import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How it tells what it was told: in a refusal, in a code, in an error's body, in a gateway's page. */
export const echoModes = ['refusal', 'code', 'http-400', 'http-500'] as const;
export type EchoMode = (typeof echoModes)[number];

/**
 * All three vendors in one: hands requests on to a sandbox, until it is told to answer a part of them itself. Then it repeats everything it was
 * sent (method, path, query, headers, body), and everything else it knows, in every place of its answer that takes a text.
 */
export class EchoVendor {
  /** Where honest answers come from. */
  target = '';
  mode: EchoMode = 'refusal';
  /** Which paths it answers itself. */
  lies: RegExp = /^$/;
  /** What was told to the on-call group and to diners. */
  readonly told: string[] = [];
  readonly answered = new Set<string>();
  #turn = 0;

  private constructor(
    private readonly server: http.Server,
    /** What it knows besides: our secrets in every form, and how the diners can be reached. */
    private readonly secrets: readonly string[],
    /** Who the diners are: told where it is asked about one of their meals. */
    private readonly names: readonly string[],
  ) {}

  static async start(secrets: readonly string[], names: readonly string[]): Promise<EchoVendor> {
    const server = http.createServer();
    const vendor = new EchoVendor(server, secrets, names);
    server.on('request', (request, response) => {
      void vendor.#answer(request).then(({ status, headers, body }) => {
        response.writeHead(status, headers);
        response.end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return vendor;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(
    request: IncomingMessage,
  ): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const sent = Buffer.concat(chunks).toString();
    const url = request.url ?? '';
    if (url.includes('/wecom/') && sent !== '') this.told.push(sent);
    if (!this.lies.test(url)) return this.#honest(request, sent);
    this.answered.add(`${request.method} ${new URL(url, this.url).pathname.replace(/\d+/g, '#')}`);
    const knows = /(add|delete)order/.test(url) ? [...this.secrets, ...this.names] : this.secrets;
    const echo = [`${request.method} ${url}`, JSON.stringify(request.headers), sent, ...knows].join(' | ');
    const one = knows[this.#turn++ % knows.length] ?? '';
    const headers = {
      'Content-Type': 'application/json',
      Server: one.replace(/[^\x20-\x7e]/g, '?'),
      Location: `/x?again=${encodeURIComponent(one)}`,
    };
    return { headers, ...this.#lie(url, echo, one) };
  }

  #lie(url: string, echo: string, one: string): { status: number; body: string } {
    const status = this.mode === 'http-400' ? 400 : this.mode === 'http-500' ? 500 : 200;
    const isCode = this.mode === 'code';
    if (status !== 200) return { status, body: echo };
    if (url.includes('/meican/')) {
      return {
        status,
        body: JSON.stringify({
          resultCode: isCode ? one : 'ORDER_CLOSED',
          resultDescription: echo,
          data: { orderId: null },
        }),
      };
    }
    if (url.includes('/energy/'))
      return {
        status,
        body: JSON.stringify({ code: isCode ? 13812349876 : 40901, message: echo, result: null }),
      };
    return { status, body: JSON.stringify({ errcode: isCode ? 13812349876 : 93000, errmsg: echo }) };
  }

  async #honest(
    request: IncomingMessage,
    sent: string,
  ): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    const {
      host: _host,
      connection: _connection,
      'content-length': _length,
      ...headers
    } = request.headers as Record<string, string>;
    const answer = await fetch(`${this.target}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      ...(sent === '' ? {} : { body: sent }),
    });
    return {
      status: answer.status,
      headers: { 'Content-Type': answer.headers.get('content-type') ?? '' },
      body: await answer.text(),
    };
  }
}
