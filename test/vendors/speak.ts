import type { EnergyCenter } from './energy-center.js';
import { everyFault } from './every-fault.js';
import type { Call, FaultKind, Vendor } from './fault.js';
import type { Meican } from './meican.js';
import type { MealKey } from './meican-books.js';
import type { FaultPlan } from './plan.js';
import type { VendorRequest } from './vendor.js';
import type { WeCom } from './wecom.js';

/** What a test in another process may ask of the vendors. */
export interface Control {
  readonly energy: EnergyCenter;
  readonly meican: Meican;
  readonly wecom: WeCom;
  readonly plan: FaultPlan;
  begin(vendor: Vendor): Promise<void>;
  end(vendor: Vendor): Promise<void>;
}

/** `POST /__faults`. `outageMs` closes the listener after this answer, and opens it again. `chance` without `kinds` draws from every fault of the call. */
export interface FaultOrder {
  readonly clear?: boolean;
  readonly next?: readonly { call: Call; faults: readonly (FaultKind | null)[] }[];
  readonly windows?: readonly { vendor: Vendor; ms: number; fault: FaultKind; calls?: readonly Call[] }[];
  readonly chance?: { calls: readonly Call[]; probability: number; kinds?: readonly FaultKind[] };
  readonly outage?: { vendor: Vendor; ms: number };
}

export const SHORT = {
  latencyMs: 300,
  lateMs: 2_000,
  processingMs: 1_500,
  lagMs: 1_000,
  retryAfterS: 1,
  oversizeBytes: 3_000_000,
};

export function order(asked: VendorRequest, control: Control): unknown {
  const body: unknown = JSON.parse(asked.body);
  switch (asked.path) {
    case '/__faults':
      return plan(body as FaultOrder, control);
    case '/__trades': {
      const { outTradeNo, userId, amount } = body as { outTradeNo: string; userId: string; amount: number };
      control.energy.paidElsewhere(outTradeNo, userId, amount);
      return {};
    }
    case '/__meals': {
      const { dishId, ...key } = body as MealKey & { dishId: number };
      return { orderId: control.meican.placeElsewhere(key, dishId)?.orderId ?? null };
    }
  }
  return undefined;
}

function plan(asked: FaultOrder, { plan: faults, begin, end }: Control): unknown {
  if (asked.clear) faults.clear();
  for (const { call, faults: kinds } of asked.next ?? []) faults.next(call, ...kinds);
  for (const { ms, vendor, fault, calls } of asked.windows ?? []) faults.for(ms, vendor, fault, calls);
  const { chance, outage } = asked;
  if (chance) faults.withChance({ ...chance, faults: (call) => chance.kinds ?? everyFault(call, SHORT) });
  if (outage)
    setImmediate(
      () => void begin(outage.vendor).then(() => setTimeout(() => void end(outage.vendor), outage.ms)),
    );
  return { waiting: faults.waiting() };
}

/** `GET /__books`: everything that a judge needs, as plain data. */
export function read(path: string, { energy, meican, wecom, plan: faults }: Control): unknown {
  if (path !== '/__books') return undefined;
  const { accounts, trades, refunds, consumptions } = energy.books;
  return {
    energy: {
      accounts: [...accounts.values()],
      trades: [...trades.values()],
      refunds: [...refunds.values()],
      consumptions: [...consumptions.values()],
    },
    meican: { meals: [...meican.books.meals.values()] },
    wecom: { messages: wecom.messages },
    complaints: [...energy.complaints, ...meican.complaints, ...wecom.complaints],
    faults: { met: faults.met, waiting: faults.waiting(), arrived: Object.fromEntries(faults.arrived) },
  };
}
