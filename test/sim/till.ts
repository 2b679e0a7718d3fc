import { Problem } from '../../src/base/problems.js';
import { isUnavailable } from '../../src/database/errors.js';
import { refundCoffee } from '../../src/orders/coffee.js';
import { recordConsumption } from '../../src/orders/consumption.js';
import { diceOf, pick } from './chance.js';
import type { Diners } from './diners.js';
import type { Process } from './process.js';
import type { World } from './world.js';

const COFFEES = 4;
const COFFEE_CENTS = 900;

interface Coffee {
  readonly outTradeNo: string;
  readonly userId: string;
  /** Chosen when it is first refunded: of its own, or that of an order. */
  tradeNo: string | null;
}

/** The gateway: coffee refunds and canteen consumptions, with numbers of their own or those of orders; and one who tries to get an order's points that way. */
export class Till {
  readonly violations: string[] = [];
  readonly #coffees: readonly Coffee[];
  readonly #records = new Map<string, { userId: string }>();
  #keys = 0;

  constructor(
    private readonly world: World,
    private readonly diners: Diners,
  ) {
    this.#coffees = Array.from({ length: COFFEES }, (_, i) => ({
      outTradeNo: `K${i}`,
      userId: diners.all[i % diners.all.length]?.sub ?? '',
      tradeNo: null,
    }));
    for (const { outTradeNo, userId } of this.#coffees)
      world.vendors.energy.paidElsewhere(outTradeNo, userId, COFFEE_CENTS);
  }

  act(r: number, api: (r: number) => Process): void {
    const dice = diceOf(r);
    const process = api(dice());
    const what = dice();
    const request =
      what < 0.6
        ? this.#coffee(process, dice)
        : what < 0.75
          ? this.#fraud(process, dice)
          : this.#consumption(process, dice);
    request.catch((error: unknown) => {
      if (!(error instanceof Problem) && !isUnavailable(error))
        this.violations.push(`the till failed: ${(error as Error).stack}`);
      else this.world.tell(`the till hears: ${(error as Error).message}`);
    });
  }

  async #coffee(process: Process, dice: () => number): Promise<void> {
    const coffee = pick(this.#coffees, dice()) as Coffee;
    coffee.tradeNo ??=
      (dice() < 0.5 ? pick(this.diners.orderNos, dice()) : undefined) ?? `T${coffee.outTradeNo}`;
    const key = dice() < 0.5 ? coffee.outTradeNo : `${coffee.outTradeNo}-${++this.#keys}`;
    this.world.tell(
      `the till asks ${process.process.name} to refund coffee ${coffee.tradeNo}, payment ${coffee.outTradeNo}`,
    );
    const { status } = await this.#refund(
      process,
      key,
      coffee.tradeNo,
      coffee.outTradeNo,
      coffee.userId,
      COFFEE_CENTS,
    );
    this.world.tell(`the till hears: ${status}`);
    const isBack = this.world.vendors
      .books()
      .refunds.some((one) => one.outTradeNo === coffee.outTradeNo && one.status === 'SUCCESS');
    if (status === 200 && !isBack && !this.world.vendors.loses)
      this.violations.push(`coffee ${coffee.tradeNo} was called refunded before it was`);
  }

  /** Whoever may refund coffee may not give an order's points back with it. */
  async #fraud(process: Process, dice: () => number): Promise<void> {
    const orderNo = pick(this.diners.orderNos, dice());
    const diner = this.diners.all.find(({ wishes }) =>
      wishes.some((wish) => wish.orders.some((order) => order.orderNo === orderNo)),
    );
    if (!orderNo || !diner) return;
    this.world.tell(`the till asks ${process.process.name} to refund P${orderNo} as coffee`);
    const { status } = await this.#refund(
      process,
      `fraud-${++this.#keys}`,
      `F${this.#keys}`,
      `P${orderNo}`,
      diner.sub,
      1500,
    );
    this.violations.push(`an order's payment was taken for a coffee's: ${status}`);
  }

  #refund(
    process: Process,
    key: string,
    tradeNo: string,
    outTradeNo: string,
    userId: string,
    amountInCent: number,
  ) {
    const input = { tradeNo, outTradeNo, userId, amountInCent, reason: 'returned' };
    const attempted = {
      caller: 'gateway',
      role: 'service' as const,
      operation: `coffee ${tradeNo}`,
      key,
      body: input,
      instance: '/',
      requestId: `request-coffee-${tradeNo}`,
      lockMs: 15_000,
    };
    return refundCoffee(process.other, attempted, input, null);
  }

  async #consumption(process: Process, dice: () => number): Promise<void> {
    const recordNo =
      (dice() < 0.3 ? pick(this.diners.orderNos, dice()) : undefined) ?? `Z${Math.floor(dice() * 4)}`;
    const record = this.#records.get(recordNo) ?? { userId: pick(this.diners.all, dice())?.sub ?? '' };
    this.#records.set(recordNo, record);
    this.world.tell(`the till tells ${process.process.name} of consumption ${recordNo}`);
    const input = {
      recordNo,
      ...record,
      amountInCent: 1200,
      canteen: 'A1',
      consumedAt: new Date('2026-11-23T04:00:00Z'),
    };
    const { body } = await recordConsumption(process.other, input, `request-consumption-${recordNo}`, null);
    this.world.tell(`the till hears: ${body.status}`);
  }
}
