import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EnergyCenter, type EnergyOptions, energyCallOf } from './energy-center.js';
import type { Vendor } from './fault.js';
import { Meican, type MeicanOptions, meicanCallOf } from './meican.js';
import type { Delivery } from './misbehave.js';
import { FaultPlan } from './plan.js';
import { order, read } from './speak.js';
import { travel } from './travel.js';
import type { Clock, Random, VendorRequest } from './vendor.js';
import { WeCom, type WeComOptions, wecomCallOf } from './wecom.js';

export interface ServeOptions {
  /** Before the names of the vendors in every path, for instance `/gate`. Default none. */
  readonly prefix?: string;
  /** Each vendor on a port of its own, so that the listener of one can be closed alone. Default: one port. */
  readonly apart?: boolean;
  /** Default 5,000. A socket that idles longer is closed by the server. */
  readonly keepAliveMs?: number;
  readonly random?: Random;
  readonly energy?: Partial<EnergyOptions>;
  readonly meican?: Partial<MeicanOptions>;
  readonly wecom?: Partial<WeComOptions>;
}

export interface ServedVendors {
  readonly urls: Readonly<Record<Vendor, string>>;
  /** The program's settings for these vendors, by the names of its contract. */
  readonly settings: Readonly<Record<string, string>>;
  readonly energy: EnergyCenter;
  readonly meican: Meican;
  readonly wecom: WeCom;
  readonly plan: FaultPlan;
  /** Closes the vendor's listener and its sockets: ECONNREFUSED until `endOutage`. Without `apart` it is the listener of all three. */
  beginOutage(vendor: Vendor): Promise<void>;
  endOutage(vendor: Vendor): Promise<void>;
  /** Effects that are still to come: late ones, what is PROCESSING, and what a lagging query does not show yet. */
  pendingWork(): number;
  /** Closes the sockets that idle between two requests. */
  closeIdle(): void;
  close(): Promise<void>;
}

const VENDORS: readonly Vendor[] = ['meican', 'energy', 'wecom'];
const HOST = '127.0.0.1';
/** The secrets of the contract's test vectors, and made-up ones beside them. */
const CORP_TOKEN = 'sandbox-corp-token';
const ENERGY = { appId: 'lunchbox', appSecret: 'sandbox-secret' };
const WECOM = { webhookKey: 'webhook-key', corpId: 'corp-id', corpSecret: 'corp-secret', agentId: 1000002 };

/** The three vendors behind real sockets. `POST /__faults`, `POST /__trades`, `POST /__meals` and `GET /__books` are for whoever tests. */
export async function serveVendors(options: ServeOptions = {}): Promise<ServedVendors> {
  const clock = realClock();
  const common = { clock, random: options.random ?? Math.random };
  const prefix = options.prefix ?? '';
  const models = {
    energy: new EnergyCenter({
      ...common,
      secrets: ENERGY,
      basePath: `${prefix}/energy`,
      openWithCents: 1_000_000,
      ...options.energy,
    }),
    meican: new Meican({ ...common, secrets: { corpToken: CORP_TOKEN }, ...options.meican }),
    wecom: new WeCom({ ...common, secrets: WECOM, ...options.wecom }),
  };
  const plan = new FaultPlan(common);
  const host = new Host(models, plan, prefix, options.keepAliveMs ?? 5_000);
  await host.listen(options.apart === true ? VENDORS : VENDORS.slice(0, 1));
  const urls = Object.fromEntries(
    VENDORS.map((vendor) => [vendor, `${host.origin(vendor)}${prefix}/${vendor}`]),
  ) as Record<Vendor, string>;
  return {
    urls,
    settings: settingsFor(urls, models),
    ...models,
    plan,
    beginOutage: (vendor) => host.stop(vendor),
    endOutage: (vendor) => host.resume(vendor),
    pendingWork: () => clock.pending() + models.energy.books.unseen(),
    closeIdle: () => host.closeIdle(),
    close: async () => {
      clock.stop();
      await host.close();
    },
  };
}

interface Models {
  readonly energy: EnergyCenter;
  readonly meican: Meican;
  readonly wecom: WeCom;
}

function settingsFor(
  urls: Record<Vendor, string>,
  { energy, meican, wecom }: Models,
): Record<string, string> {
  const { webhookKey, corpId, corpSecret, agentId } = wecom.options.secrets;
  return {
    MEICAN_BASE_URL: urls.meican,
    MEICAN_CORP_TOKEN: meican.options.secrets.corpToken,
    ENERGY_BASE_URL: urls.energy,
    ENERGY_APP_ID: energy.options.secrets.appId,
    ENERGY_APP_SECRET: energy.options.secrets.appSecret,
    WECOM_WEBHOOK_URL: `${urls.wecom}/cgi-bin/webhook/send?key=${webhookKey}`,
    WECOM_BASE_URL: urls.wecom,
    WECOM_CORP_ID: corpId,
    WECOM_CORP_SECRET: corpSecret,
    WECOM_AGENT_ID: String(agentId),
  };
}

/** The listeners, and what happens to a request. Each listener answers for every vendor; `apart` only gives each a port of its own. */
class Host {
  private readonly servers = new Map<Vendor, { server: Server; port: number }>();
  private readonly models: Models;
  private readonly plan: FaultPlan;
  private readonly prefix: string;
  private readonly keepAliveMs: number;

  constructor(models: Models, plan: FaultPlan, prefix: string, keepAliveMs: number) {
    this.models = models;
    this.plan = plan;
    this.prefix = prefix;
    this.keepAliveMs = keepAliveMs;
  }

  async listen(vendors: readonly Vendor[]): Promise<void> {
    for (const vendor of vendors) await this.open(vendor, 0);
  }

  origin(vendor: Vendor): string {
    return `http://${HOST}:${this.at(vendor).port}`;
  }

  async stop(vendor: Vendor): Promise<void> {
    await shut(this.at(vendor).server);
  }

  async resume(vendor: Vendor): Promise<void> {
    const name = this.servers.has(vendor) ? vendor : 'meican';
    await this.open(name, this.at(name).port);
  }

  closeIdle(): void {
    for (const { server } of this.servers.values()) server.closeIdleConnections();
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.values()].map(({ server }) => shut(server)));
  }

  private at(vendor: Vendor): { server: Server; port: number } {
    const found = this.servers.get(vendor) ?? this.servers.get('meican');
    if (!found) throw new Error('the vendors do not listen');
    return found;
  }

  private async open(vendor: Vendor, port: number): Promise<void> {
    const server = createServer(
      { keepAliveTimeout: this.keepAliveMs, requestTimeout: 0 },
      (request, response) => {
        this.take(request, response).catch((error: unknown) => response.writeHead(400).end(String(error)));
      },
    );
    server.listen(port, HOST);
    await once(server, 'listening');
    this.servers.set(vendor, { server, port: (server.address() as AddressInfo).port });
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readRequest(request);
    if (asked.path.startsWith('/__')) return this.speak(asked, response);
    const vendor = VENDORS.find((name) => asked.path.startsWith(`${this.prefix}/${name}/`));
    if (!vendor) response.writeHead(404).end('no such vendor');
    else
      travel(
        this.meet(vendor, { ...asked, path: asked.path.slice(`${this.prefix}/${vendor}`.length) }),
        response,
      );
  }

  private meet(vendor: Vendor, request: VendorRequest): Delivery {
    const call =
      vendor === 'energy'
        ? energyCallOf(request)
        : vendor === 'meican'
          ? meicanCallOf(request).call
          : wecomCallOf(request);
    return this.models[vendor].deliver(request, call && this.plan.take(call));
  }

  private async speak(asked: VendorRequest, response: ServerResponse): Promise<void> {
    const control = {
      ...this.models,
      plan: this.plan,
      begin: (vendor: Vendor) => this.stop(vendor),
      end: (vendor: Vendor) => this.resume(vendor),
    };
    const answer = asked.method === 'GET' ? read(asked.path, control) : order(asked, control);
    response
      .writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer ?? null));
  }
}

export async function readRequest(request: IncomingMessage): Promise<VendorRequest> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers,
    body: Buffer.concat(parts).toString('utf8'),
  };
}

export async function shut(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

export function realClock(): Clock & { pending(): number; stop(): void } {
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms).unref();
    timers.add(timer);
  };
  return {
    now: () => Date.now(),
    later,
    pending: () => timers.size,
    stop: () => timers.forEach(clearTimeout),
  };
}
