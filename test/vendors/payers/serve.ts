import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { everyFault } from '../every-fault.js';
import type { PayerName } from '../fault.js';
import type { Delivery } from '../misbehave.js';
import { FaultPlan } from '../plan.js';
import { readRequest, realClock, shut } from '../serve.js';
import { type FaultOrder, SHORT } from '../speak.js';
import { travel } from '../travel.js';
import type { Random, VendorRequest } from '../vendor.js';
import { Alipay, type AlipayOptions, alipayCallOf } from './alipay.js';
import { now } from './books.js';
import type { Note } from './notify.js';
import { makeKeys, type PayerKeys, privatePem, publicPem } from './sign.js';
import { WeChatPay, type WeChatPayOptions, wechatCallOf } from './wechat.js';

export interface ServePayersOptions {
  /** Default: new ones. To make them takes a tenth of a second. */
  readonly keys?: PayerKeys;
  readonly random?: Random;
  /** Milliseconds between the attempts of a notification; default a hundredth of the contract's. */
  readonly notifyPauses?: readonly number[];
  readonly wechat?: Partial<WeChatPayOptions>;
  readonly alipay?: Partial<AlipayOptions>;
}

export interface ServedPayers {
  readonly urls: Readonly<Record<PayerName, string>>;
  /** The program's settings for these payers, by the names of its contract. */
  readonly settings: Readonly<Record<string, string>>;
  readonly keys: PayerKeys;
  readonly wechat: WeChatPay;
  readonly alipay: Alipay;
  readonly plan: FaultPlan;
  /** Notifications, late effects and refunds that are still to come. */
  pendingWork(): number;
  beginOutage(): Promise<void>;
  endOutage(): Promise<void>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const PAYERS: readonly PayerName[] = ['wechat', 'alipay'];
const WECHAT = {
  mchId: '1900000109',
  appId: 'wxd678efh567hg6787',
  serialNo: '5157F09EFDC096DE15EBE81A47057A7232F1B8E1',
  platformSerial: 'PUB_KEY_ID_0114232134912410000000000000',
};
const ALIPAY = { appId: '2014072300007148', sellerId: '2088101106499364' };
const PAUSES = [150, 150, 300, 1_800, 3_000];

/** Both payers behind one real socket: `/wechat` and `/alipay`. `GET /__payers`, `POST /__pay` and `POST /__faults` are for whoever tests. */
export async function servePayers(options: ServePayersOptions = {}): Promise<ServedPayers> {
  const clock = realClock();
  const keys = options.keys ?? makeKeys();
  const common = {
    clock,
    random: options.random ?? Math.random,
    post,
    notifyPauses: options.notifyPauses ?? PAUSES,
  };
  const plan = new FaultPlan(common);
  const faultOf = (call: 'wechat.notify' | 'alipay.notify') => plan.take(call);
  const wechat = new WeChatPay({
    ...common,
    secrets: { ...WECHAT, keys },
    basePath: '/wechat',
    faultOf,
    ...options.wechat,
  });
  const alipay = new Alipay({ ...common, secrets: { ...ALIPAY, keys }, faultOf, ...options.alipay });
  const host = new Host({ wechat, alipay, plan });
  await host.open(0);
  const urls = { wechat: `${host.origin()}/wechat`, alipay: `${host.origin()}/alipay` };
  const notifying = (): number => wechat.notifier.pending + alipay.notifier.pending;
  return {
    urls,
    settings: settingsFor(urls, keys),
    keys,
    wechat,
    alipay,
    plan,
    pendingWork: () => clock.pending() + notifying() + wechat.books.unsettled() + alipay.books.unsettled(),
    beginOutage: () => host.stop(),
    endOutage: () => host.open(host.port),
    close: async () => {
      clock.stop();
      await host.stop();
    },
  };
}

interface Parties {
  readonly wechat: Pick<WeChatPayOptions['secrets'], 'mchId' | 'appId' | 'serialNo' | 'platformSerial'>;
  readonly alipay: Pick<AlipayOptions['secrets'], 'appId' | 'sellerId'>;
}

/** PEM texts are written with `\n`, as an environment has them. */
export function settingsFor(
  urls: Record<PayerName, string>,
  keys: PayerKeys,
  { wechat, alipay }: Parties = { wechat: WECHAT, alipay: ALIPAY },
): Record<string, string> {
  const line = (pem: string): string => pem.trim().replaceAll('\n', '\\n');
  return {
    WECHATPAY_BASE_URL: urls.wechat,
    WECHATPAY_MCH_ID: wechat.mchId,
    WECHATPAY_APP_ID: wechat.appId,
    WECHATPAY_SERIAL_NO: wechat.serialNo,
    WECHATPAY_PRIVATE_KEY: line(privatePem(keys.merchant.privateKey)),
    WECHATPAY_API_V3_KEY: keys.apiV3Key,
    WECHATPAY_PUBLIC_KEYS: JSON.stringify({ [wechat.platformSerial]: publicPem(keys.wechat.publicKey) }),
    ALIPAY_BASE_URL: urls.alipay,
    ALIPAY_APP_ID: alipay.appId,
    ALIPAY_SELLER_ID: alipay.sellerId,
    ALIPAY_PRIVATE_KEY: line(privatePem(keys.merchant.privateKey)),
    ALIPAY_PUBLIC_KEY: line(publicPem(keys.alipay.publicKey)),
  };
}

interface Models {
  readonly wechat: WeChatPay;
  readonly alipay: Alipay;
  readonly plan: FaultPlan;
}

class Host {
  port = 0;
  private server: Server | undefined;
  private readonly models: Models;

  constructor(models: Models) {
    this.models = models;
  }

  origin(): string {
    return `http://${HOST}:${this.port}`;
  }

  async open(port: number): Promise<void> {
    this.server = createServer({ requestTimeout: 0 }, (incoming, response) => {
      this.take(incoming, response).catch((error: unknown) => response.writeHead(400).end(String(error)));
    });
    this.server.listen(port, HOST);
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (this.server) await shut(this.server);
  }

  private async take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readRequest(incoming);
    const payer = PAYERS.find((name) => asked.path.startsWith(`/${name}/`));
    if (payer) travel(this.meet(payer, { ...asked, path: asked.path.slice(payer.length + 1) }), response);
    else this.speak(asked, response);
  }

  private meet(payer: PayerName, asked: VendorRequest): Delivery {
    const call = payer === 'wechat' ? wechatCallOf(asked) : alipayCallOf(asked);
    return this.models[payer].deliver(asked, call && this.models.plan.take(call));
  }

  private speak(asked: VendorRequest, response: ServerResponse): void {
    const answer = this.said(asked);
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? null));
  }

  private said({ method, path, body }: VendorRequest): unknown {
    if (`${method} ${path}` === 'GET /__payers') return booksOf(this.models);
    if (`${method} ${path}` === 'POST /__faults')
      return order(JSON.parse(body) as FaultOrder, this.models.plan);
    if (`${method} ${path}` !== 'POST /__pay') return undefined;
    const { payer, outTradeNo } = JSON.parse(body) as { payer: PayerName; outTradeNo: string };
    return { result: this.models[payer].pay(outTradeNo) };
  }
}

function order({ clear, next, chance }: FaultOrder, plan: FaultPlan): unknown {
  if (clear) plan.clear();
  for (const { call, faults } of next ?? []) plan.next(call, ...faults);
  if (chance) plan.withChance({ ...chance, faults: (call) => chance.kinds ?? everyFault(call, SHORT) });
  return { waiting: plan.waiting() };
}

/** Everything that a judge needs, as plain data: cents paid and refunded of each number. */
function booksOf({ wechat, alipay }: Pick<Models, 'wechat' | 'alipay'>) {
  const of = ({ books, notifier, complaints }: WeChatPay | Alipay) => ({
    trades: [...books.trades.values()].map((trade) => ({
      outTradeNo: trade.outTradeNo,
      state: now(trade),
      paid: books.paid(trade.outTradeNo),
      refunded: books.refunded(trade.outTradeNo),
      refunds: books.refundsOf(trade.outTradeNo).map((refund) => ({ ...refund, state: now(refund) })),
    })),
    notifications: notifier.attempts,
    complaints,
  });
  return { wechat: of(wechat), alipay: of(alipay) };
}

/** Sends a notification as the payers do: no answer within five seconds is none. */
function post(url: string, note: Note): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { ...note.headers }, timeout: 5_000 };
    const outgoing = request(url, options, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.end(note.body);
  });
}
