import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { z } from 'zod';
import { understandEnergy } from './energy.js';
import { calls, type Fault, Faults, faultKinds } from './faults.js';
import { type Account, Ledger } from './ledger.js';
import { understandMeican } from './meican.js';
import {
  json,
  type Reply,
  type SandboxSecrets,
  type Understood,
  type VendorOptions,
  type VendorRequest,
} from './vendor.js';
import { WecomVendor } from './wecom.js';

export interface SandboxOptions {
  /** Its books hold people's names and points, and whoever can reach it can change them: never beyond this machine. */
  readonly host: '127.0.0.1';
  /** 0: any free one. */
  readonly port: number;
  /** Keeps the books over a restart. */
  readonly stateFile?: string | undefined;
  /** Refunds are not deduplicated by their number. */
  readonly legacyMode: boolean;
  readonly secrets: SandboxSecrets;
}

export interface SandboxRequest {
  readonly at: string;
  readonly call: string;
  readonly method: string;
  readonly path: string;
  readonly requestId: string | null;
  readonly traceparent: string | null;
  readonly body: string;
  readonly fault: string | null;
  /** Did it reach the books? */
  applied: boolean;
  status: number | null;
}

const rule = z.object({
  call: z.union([z.enum(calls), z.enum(['meican', 'energy', 'wecom'])]).optional(),
  kind: z.enum(faultKinds),
  times: z.number().int().min(1).optional(),
  skip: z.number().int().min(0).optional(),
  ms: z.number().int().min(0).optional(),
  status: z.number().int().min(400).max(599).optional(),
  variant: z.string().optional(),
  code: z.union([z.string(), z.number()]).transform(String).optional(),
});
const faultsBody = z.union([
  z.object({ faults: z.array(rule) }),
  z.object({
    chance: z.object({
      seed: z.number().int(),
      probability: z.number().min(0).max(1),
      kinds: z.array(z.enum(faultKinds)).optional(),
    }),
  }),
  rule.transform((single) => ({ faults: [single] })),
]);
const accountBody = z.object({
  userId: z.string().min(1),
  balance: z.number().int().min(0).optional(),
  cardStatus: z.enum(['NORMAL', 'FROZEN', 'LOST', 'CLOSED']).optional(),
});
const REQUESTS_KEPT = 20_000;
const BODY_MAX_BYTES = 1024 * 1024;
const OVERSIZE_BYTES = 8 * 1024 * 1024;
const DRIP_EVERY_MS = 400;

/** The three vendors on one port: they keep books, and misbehave on demand. For trying and testing; never near production. */
export class Sandbox {
  readonly faults = new Faults();
  readonly ledger: Ledger;
  readonly #requests: SandboxRequest[] = [];
  readonly #vendors: VendorOptions;
  readonly #wecom: WecomVendor;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Late effects that are still to come. */
  lateCount = 0;
  #server: http.Server;
  #port = 0;

  private constructor(private readonly options: SandboxOptions) {
    this.ledger = new Ledger(options.stateFile);
    this.#vendors = {
      ledger: this.ledger,
      now: Date.now,
      legacyMode: options.legacyMode,
      settings: options.secrets,
      later: (ms, work) => this.#later(ms, work),
    };
    this.#wecom = new WecomVendor(this.#vendors);
    this.#server = this.#createServer();
  }

  static async start(options: SandboxOptions): Promise<Sandbox> {
    const sandbox = new Sandbox(options);
    await sandbox.#listen(options.port);
    return sandbox;
  }

  get url(): string {
    return `http://${this.options.host}:${this.#port}`;
  }

  get requests(): readonly SandboxRequest[] {
    return this.#requests;
  }

  reset(): void {
    this.ledger.reset();
    this.faults.clear();
    this.#wecom.reset();
    this.#requests.length = 0;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** The listener is closed and every connection cut, for `ms`: ECONNREFUSED. */
  async outage(ms: number): Promise<void> {
    await this.#stopListening();
    setTimeout(() => {
      this.#server = this.#createServer();
      void this.#listen(this.#port);
    }, ms);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#stopListening();
  }

  #createServer(): http.Server {
    const server = http.createServer(
      (request, response) => void this.#answer(request, response).catch(() => response.destroy()),
    );
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, this.options.host, 1024, resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #stopListening(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://sandbox');
    const request: VendorRequest = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: await readBody(incoming),
    };
    if (url.pathname.startsWith('/__sandbox/')) return send(response, this.#control(request));
    const understood =
      understandMeican(this.#vendors, request) ??
      understandEnergy(this.#vendors, request) ??
      this.#wecom.understand(request);
    if (!understood) return send(response, json({ message: 'no such call' }, 404));
    const header = incoming.headers['x-sandbox-fault'];
    const fault = this.faults.pick(understood.call, typeof header === 'string' ? header : undefined);
    const entry = this.#note(request, understood, fault);
    if (understood.refusal) return this.#finish(entry, response, understood.refusal);
    await this.#misbehave(understood, fault, entry, response);
  }

  #note(request: VendorRequest, understood: Understood, fault: Fault | undefined): SandboxRequest {
    const entry: SandboxRequest = {
      at: new Date().toISOString(),
      call: understood.call,
      method: request.method,
      path: request.path,
      requestId: (request.headers['x-request-id'] as string | undefined) ?? null,
      traceparent: (request.headers.traceparent as string | undefined) ?? null,
      body: request.body,
      fault: fault?.kind ?? null,
      applied: false,
      status: null,
    };
    this.#requests.push(entry);
    if (this.#requests.length > REQUESTS_KEPT) this.#requests.shift();
    return entry;
  }

  #finish(entry: SandboxRequest, response: ServerResponse, reply: Reply): void {
    entry.status = reply.status;
    send(response, reply);
  }

  async #misbehave(
    understood: Understood,
    fault: Fault | undefined,
    entry: SandboxRequest,
    response: ServerResponse,
  ): Promise<void> {
    const apply = (): Reply => {
      entry.applied = true;
      return understood.apply(fault);
    };
    const finish = (reply: Reply): void => this.#finish(entry, response, reply);
    const socket = response.socket;
    if (!fault) return finish(apply());
    switch (fault.kind) {
      case 'latency': {
        const reply = apply();
        return void this.#later(fault.ms ?? 1_000, () => finish(reply));
      }
      case 'hang-before':
        return;
      case 'hang-after':
        apply();
        return;
      case 'reset-before':
        return void socket?.resetAndDestroy();
      case 'reset-after':
        apply();
        return void socket?.resetAndDestroy();
      case 'status-before':
        return finish(gatewayError(fault.status));
      case 'status-after':
        apply();
        return finish(gatewayError(fault.status));
      case 'malformed-after':
        return finish(malform(apply(), fault.variant));
      case 'late-effect':
        this.lateCount += 1;
        this.#later(fault.ms ?? 3_000, () => {
          this.lateCount -= 1;
          apply();
        });
        return finish(gatewayError(504));
      case 'lost-effect':
        return finish(this.ledger.undone(() => understood.apply(undefined)));
      case 'multi':
      case 'already-cancelled':
      case 'processing':
      case 'read-lag':
      case 'silent-drop':
        return finish(apply());
      case 'refused':
        return finish(understood.refuse(fault.code));
      case 'rate-limit':
        return finish(
          fault.variant === 'http'
            ? {
                status: 429,
                headers: { 'Retry-After': '1', 'Content-Type': 'text/plain' },
                body: 'slow down',
              }
            : understood.rateLimit(),
        );
      case 'unauthorized':
        return finish(
          understood.call === 'wecom.message'
            ? apply()
            : json({ code: 40_101, resultCode: 'UNAUTHORIZED', message: 'signature', result: null }, 401),
        );
      case 'drip':
        return this.#drip(apply(), response);
      case 'close-idle': {
        finish(apply());
        return void this.#later(20, () => socket?.destroy());
      }
      case 'outage':
        return this.outage(fault.ms ?? 1_000);
      case 'oversize': {
        const reply = apply();
        return finish({
          ...reply,
          body: `${reply.body.slice(0, -1)},"padding":"${'x'.repeat(OVERSIZE_BYTES)}"}`,
        });
      }
    }
  }

  #drip(reply: Reply, response: ServerResponse): void {
    response.writeHead(reply.status, { ...reply.headers });
    let at = 0;
    const timer = setInterval(() => {
      response.write(at < reply.body.length ? reply.body.slice(at, at + 2) : ' ');
      at += 2;
    }, DRIP_EVERY_MS);
    response.on('close', () => clearInterval(timer));
  }

  #control({ method, path, body }: VendorRequest): Reply {
    const route = `${method} ${path.slice('/__sandbox/'.length)}`;
    switch (route) {
      case 'GET ledger':
        return json(this.#ledgerView());
      case 'GET requests':
        return json({ requests: this.#requests });
      case 'GET faults':
        return json(this.faults.list());
      case 'DELETE faults':
        this.faults.clear();
        return json(this.faults.list());
      case 'POST faults':
        return this.#addFaults(body);
      case 'POST accounts':
        return this.#setAccount(body);
      case 'POST reset':
        this.reset();
        return json({ reset: true });
      default:
        return json(
          { message: 'GET ledger|requests|faults, POST faults|accounts|reset, DELETE faults' },
          404,
        );
    }
  }

  #addFaults(body: string): Reply {
    const parsed = faultsBody.safeParse(parseJson(body));
    if (!parsed.success) return json({ message: 'not a fault', issues: parsed.error.issues }, 400);
    if ('chance' in parsed.data) this.faults.useChance(parsed.data.chance as never);
    else {
      const rules = parsed.data.faults as never[];
      const outage = (rules as Fault[]).find(
        (fault) => fault.kind === 'outage' && !(fault as { call?: string }).call,
      );
      if (outage) void this.outage(outage.ms ?? 1_000);
      this.faults.add(rules.filter((fault) => fault !== (outage as never)));
    }
    return json(this.faults.list());
  }

  #setAccount(body: string): Reply {
    const parsed = accountBody.safeParse(parseJson(body));
    if (!parsed.success) return json({ message: 'not an account', issues: parsed.error.issues }, 400);
    const known = this.ledger.find<Account>('accounts', parsed.data.userId) ?? {
      userId: parsed.data.userId,
      accountNo: `A-${parsed.data.userId}`,
      cardStatus: 'NORMAL',
      balance: 100_000,
    };
    this.ledger.put('accounts', { ...known, ...parsed.data });
    return json(this.ledger.find('accounts', parsed.data.userId));
  }

  #ledgerView() {
    const { meicanOrders, accounts, trades, refunds, consumptions, robotMessages, appMessages } =
      this.ledger.books;
    return {
      meican: { orders: meicanOrders },
      energy: { accounts, trades, refunds, consumptions },
      wecom: { robot: robotMessages, messages: appMessages },
    };
  }
}

function gatewayError(status = 502): Reply {
  return status === 500 || status === 503
    ? json({ error: 'internal' }, status)
    : {
        status,
        headers: { 'Content-Type': 'text/html' },
        body: `<html><body><h1>${status}</h1></body></html>`,
      };
}

/** A 200 that says nothing, or lies, after the work was done. */
function malform(reply: Reply, variant = 'truncated'): Reply {
  const parsed = parseJson(reply.body) as Record<string, unknown> | undefined;
  switch (variant) {
    case 'html':
      return { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html><body>OK</body></html>' };
    case 'empty':
      return { status: 200, body: '' };
    case 'null':
      return { ...reply, body: 'null' };
    case 'null-data':
      return {
        ...reply,
        body: JSON.stringify({
          ...parsed,
          ...('data' in (parsed ?? {}) ? { data: null } : { result: null }),
        }),
      };
    case 'blank-id':
      return {
        ...reply,
        body: reply.body.replace(
          /("(?:orderId|tradeNo|outTradeNo|refundNo|outRefundNo|recordNo)":)"[^"]*"/g,
          '$1""',
        ),
      };
    case 'wrong-types':
      return {
        ...reply,
        body: JSON.stringify({ ...parsed, resultCode: 1, code: 'zero', errcode: '0', data: 'x', result: 7 }),
      };
    default:
      return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) };
  }
}

function send(response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  response.writeHead(reply.status, { ...reply.headers, 'Content-Length': Buffer.byteLength(reply.body) });
  response.end(reply.body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
