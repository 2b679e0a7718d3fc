import { EnergyCenter } from './energy-center.js';
import type { Fault } from './fault.js';
import { Meican } from './meican.js';
import type { MealType } from './meican-books.js';
import { energySignature, meicanSignature } from './sign.js';
import type { Clock, VendorAnswer } from './vendor.js';
import { WeCom } from './wecom.js';

const START = Date.parse('2026-11-23T02:00:00Z');

/** A clock that stands until it is moved, and does what falls due on the way. */
export class StandingClock implements Clock {
  private instant = START;
  private due: { at: number; work: () => void }[] = [];

  now(): number {
    return this.instant;
  }

  later(ms: number, work: () => void): void {
    this.due.push({ at: this.instant + ms, work });
    this.due.sort((a, b) => a.at - b.at);
  }

  move(ms: number): void {
    const end = this.instant + ms;
    for (let next = this.due[0]; next && next.at <= end; next = this.due[0]) {
      this.due.shift();
      this.instant = next.at;
      next.work();
    }
    this.instant = end;
  }
}

/** One vendor of each kind on one clock, with a client that signs as the contract says. */
export class Bench {
  readonly clock = new StandingClock();
  readonly energy: EnergyCenter;
  readonly meican: Meican;
  readonly wecom: WeCom;
  private nonces = 0;

  constructor(
    options: {
      openAccounts?: boolean;
      energy?: Partial<EnergyCenter['options']>;
      meican?: Partial<Meican['options']>;
      wecom?: Partial<WeCom['options']>;
    } = {},
  ) {
    const common = { clock: this.clock, random: () => 0.5 };
    const open = options.openAccounts === false ? {} : { openWithCents: 10_000 };
    this.energy = new EnergyCenter({
      ...common,
      ...open,
      secrets: { appId: 'lunch', appSecret: 'secret' },
      basePath: '/energy',
      ...options.energy,
    });
    this.meican = new Meican({ ...common, secrets: { corpToken: 'corp-token' }, ...options.meican });
    const secrets = { webhookKey: 'k', corpId: 'c', corpSecret: 's', agentId: 7 };
    this.wecom = new WeCom({ ...common, secrets, ...options.wecom });
  }

  askEnergy(method: 'GET' | 'POST', path: string, body?: object, fault?: Fault): VendorAnswer {
    this.nonces += 1;
    const [text, timestamp, nonce] = [
      body ? JSON.stringify(body) : '',
      String(this.clock.now()),
      `n${this.nonces}`,
    ];
    const headers = {
      'x-app-id': 'lunch',
      'x-timestamp': timestamp,
      'x-nonce': nonce,
      'x-request-id': 'request-1',
      traceparent: '00-1-1-01',
      'x-signature': energySignature('secret', {
        method,
        path: `/energy${path}`,
        timestamp,
        nonce,
        body: text,
      }),
      'content-type': 'application/json',
    };
    return this.energy.handle({ method, path, headers, body: text }, fault);
  }

  askMeican(method: 'GET' | 'POST', call: string, form: Record<string, string>, fault?: Fault): VendorAnswer {
    const timestamp = String(this.clock.now());
    const query = new URLSearchParams({
      ...(method === 'GET' ? form : {}),
      timestamp,
      signature: meicanSignature('corp-token', timestamp),
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = method === 'POST' ? new URLSearchParams(form).toString() : '';
    return this.meican.handle({ method, path: `/v1/corps/acme/${call}?${query}`, headers, body }, fault);
  }

  pay(number: string, amount: number, fault?: Fault): VendorAnswer {
    const body = {
      outTradeNo: `P${number}`,
      userId: 'alice',
      amount,
      subject: '午餐',
      orderNo: number,
      expireAt: '2026-11-23T10:15:00+08:00',
    };
    return this.askEnergy('POST', '/v1/pay', body, fault);
  }

  unpay(number: string, amount: number, fault?: Fault, of = number): VendorAnswer {
    const body = {
      outRefundNo: `R${number}`,
      outTradeNo: `P${of}`,
      userId: 'alice',
      amount,
      reason: 'cancelled',
    };
    return this.askEnergy('POST', '/v1/unpay', body, fault);
  }

  add(email: string, fault?: Fault, mealType: MealType = 'LUNCH', dishId = 1): VendorAnswer {
    const dishes = JSON.stringify([{ dishId, count: 1, priceInCent: 2300 }]);
    return this.askMeican(
      'POST',
      'addorder',
      { email, realName: '张三', addressId: 'A1', mealDate: '2026-11-24', mealType, dishes },
      fault,
    );
  }

  remove(orderId: string, fault?: Fault): VendorAnswer {
    return this.askMeican('POST', 'deleteorder', { orderId }, fault);
  }

  list(fault?: Fault): VendorAnswer {
    return this.askMeican('GET', 'listgrouporderandbill', { target: '2026-11-24' }, fault);
  }
}

/** The parsed body of an answer; a missing answer fails the test. */
export function bodyOf(
  answer: VendorAnswer,
): Record<string, unknown> & { code?: number; resultCode?: string; errcode?: number } {
  if (answer.kind !== 'answer') throw new Error(`no answer: ${answer.code}`);
  return JSON.parse(answer.text) as Record<string, unknown>;
}

export function resultOf(answer: VendorAnswer): Record<string, unknown> {
  const body = bodyOf(answer);
  return (body.result ?? body.data) as Record<string, unknown>;
}

/** The ids that a day list shows. */
export function idsOf(answer: VendorAnswer): string[] {
  const { orderList } = resultOf(answer) as { orderList: { mealList: { orderId: string }[] }[] };
  return orderList.flatMap(({ mealList }) => mealList.map(({ orderId }) => orderId));
}
