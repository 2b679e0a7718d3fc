import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { control } from './control.js';
import { understandEnergy } from './energy.js';
import { type Fault, Faults } from './faults.js';
import { Ledger } from './ledger.js';
import { understandMeican } from './meican.js';
import { misbehave, type Stage } from './misbehave.js';
import { type PayerKeys, payerSettings } from './payers/keys.js';
import { SandboxPayers } from './payers/payers.js';
import {
  json,
  type Reply,
  type SandboxSecrets,
  type Understood,
  type VendorOptions,
  type VendorRequest,
} from './vendor.js';
import { WecomVendor } from './wecom.js';
import { readBody, send } from './wire.js';

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
  /** Absent: it plays no payers. */
  readonly payerKeys?: PayerKeys | undefined;
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

const REQUESTS_KEPT = 20_000;

/** The vendors and payers on one port: they keep books, and misbehave on demand. For trying and testing; never near production. */
export class Sandbox implements Stage {
  readonly faults = new Faults();
  readonly ledger: Ledger;
  readonly payers: SandboxPayers | null;
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
      later: (ms, work) => this.later(ms, work),
    };
    this.#wecom = new WecomVendor(this.#vendors);
    this.payers = options.payerKeys
      ? new SandboxPayers(this.#vendors, this.faults, options.payerKeys, () => this.url)
      : null;
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

  /** What makes a lunchbox pay here. */
  get payerSettings() {
    return this.options.payerKeys ? payerSettings(this.url, this.options.payerKeys) : null;
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

  later(ms: number, work: () => void): void {
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
    if (url.pathname.startsWith('/__sandbox/')) return send(response, control(this, request));
    const page = this.payers?.page(request);
    if (page) return send(response, page);
    const understood =
      understandMeican(this.#vendors, request) ??
      understandEnergy(this.#vendors, request) ??
      this.#wecom.understand(request) ??
      this.payers?.understand(request);
    if (!understood) return send(response, json({ message: 'no such call' }, 404));
    const header = incoming.headers['x-sandbox-fault'];
    const fault = this.faults.pick(understood.call, typeof header === 'string' ? header : undefined);
    const entry = this.#note(request, understood, fault);
    if (understood.refusal) return this.#finish(entry, response, understood.refusal);
    const apply = (): Reply => {
      entry.applied = true;
      return understood.apply(fault);
    };
    const finish = (reply: Reply): void => this.#finish(entry, response, reply);
    if (!fault) return finish(apply());
    misbehave({ fault, understood, response, stage: this, apply, finish });
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
}
