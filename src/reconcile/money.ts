import type { EnergyClient } from '../clients/energy.js';
import type { CallContext } from '../clients/transport.js';
import { owedOf } from '../orders/order.js';
import { type ComparedOrder, drift, type Part } from './compared.js';
import type { Drift } from './drift.js';

/**
 * Questions to the energy center at once: half of what events may have (`SCHEDULER_CONCURRENCY`), so that no
 * refund waits for a comparison.
 */
export const QUESTIONS_AT_ONCE = 5;
/** After so many questions in a row without an answer the rest is left for the next time. */
const VAIN_IN_A_ROW_MAX = 20;

/** `last`: the last order that was asked about. */
export type Money = Part & {
  /** Orders that were not asked about. */
  readonly notReached: number;
  /** Question after question got no answer, so that the rest was not asked. */
  readonly silent: boolean;
  readonly last: string | undefined;
};

/** One question for each order, a few at a time, in the order of their ids. */
export async function compareMoney(
  energy: EnergyClient,
  orders: readonly ComparedOrder[],
  budgetMs: number,
  context: CallContext,
): Promise<Money> {
  const untilMs = performance.now() + budgetMs;
  const found = new Map<string, Drift[]>();
  let [begun, unanswered, vainInARow] = [0, 0, 0];
  const mayGoOn = (): boolean =>
    performance.now() < untilMs && vainInARow < VAIN_IN_A_ROW_MAX && context.signal?.aborted !== true;
  const ask = async (): Promise<void> => {
    while (begun < orders.length && mayGoOn()) {
      const order = orders[begun++] as ComparedOrder;
      const trade = await energy.queryPay(`P${order.orderNo}`, context);
      vainInARow = trade.kind === 'applied' ? 0 : vainInARow + 1;
      if (trade.kind === 'applied') found.set(order.id, moneyDrift(order, trade.value));
      else unanswered += 1;
    }
  };
  await Promise.all(Array.from({ length: QUESTIONS_AT_ONCE }, ask));
  return {
    guilty: orders.flatMap(({ id }) => found.get(id) ?? []),
    unanswered,
    notReached: orders.length - begun,
    last: orders[begun - 1]?.id,
    silent: vainInARow >= VAIN_IN_A_ROW_MAX,
  };
}

function moneyDrift(
  order: ComparedOrder,
  { state, amountInCent, refundedInCent }: { state: string; amountInCent: number; refundedInCent: number },
): Drift[] {
  const kept = state === 'SUCCESS' ? amountInCent - refundedInCent : 0;
  // What a complaint was granted is the diner's again.
  const wanted = order.status === 'ORDERED' || order.status === 'ORDERING' ? owedOf(order) : 0;
  if (kept < wanted)
    return [
      drift(
        'money-missing',
        order,
        `${order.status}, ${wanted} to be kept, but the energy center keeps ${kept}`,
      ),
    ];
  if (kept > wanted)
    return [
      drift(
        'money-kept',
        order,
        `${order.status}, but the energy center keeps ${kept} instead of ${wanted}`,
        { keptInCent: kept },
      ),
    ];
  return [];
}
