import type { Fault } from '../vendors/fault.js';
import type { Shop } from './shop.js';
import { type Menu, openMenu, type Told, tell } from './story.js';

/** Several shops, one story each at a time: most of a story is waiting for a vendor that does not answer. */
export class Crowd {
  private readonly waiting: ((stall: Stall) => void)[] = [];
  private readonly free: Stall[];
  private readonly shops: readonly Shop[];

  private constructor(stalls: Stall[]) {
    this.free = [...stalls];
    this.shops = stalls.map(({ shop }) => shop);
  }

  static async open(size: number, openShop: () => Promise<Shop>): Promise<Crowd> {
    const stalls: Stall[] = [];
    for (let n = 0; n < size; n++) {
      const shop = await openShop();
      stalls.push({ shop, menu: await openMenu(shop) });
    }
    return new Crowd(stalls);
  }

  async tell(faults: readonly Fault[]): Promise<Told> {
    const stall = this.free.pop() ?? (await new Promise<Stall>((resolve) => this.waiting.push(resolve)));
    try {
      return await tell(stall.shop, stall.menu, faults);
    } finally {
      const next = this.waiting.shift();
      if (next) next(stall);
      else this.free.push(stall);
    }
  }

  async close(): Promise<void> {
    for (const shop of this.shops) await shop.close();
  }
}

interface Stall {
  readonly shop: Shop;
  readonly menu: Menu;
}
