import { now } from '../vendors/energy-books.js';
import type { EnergyCenter } from '../vendors/energy-center.js';
import type { Meican } from '../vendors/meican.js';
import type { VendorBooks } from './judge.js';

/** What the books of these vendors say now, for the judge. */
export function vendorBooksOf(energy: EnergyCenter, meican: Meican): VendorBooks {
  const { books } = energy;
  const status = (record: Parameters<typeof now>[0]): string => String(now(record) ?? 'NONE');
  return {
    accounts: [...books.accounts.values()].map(({ userId, balance, opened }) => ({
      userId,
      balance,
      opened,
    })),
    trades: [...books.trades.values()].map((trade) => ({
      outTradeNo: trade.outTradeNo,
      userId: trade.userId,
      amount: trade.amount,
      status: status(trade),
    })),
    refunds: [...books.refunds.values()].map((refund) => ({
      outRefundNo: refund.outRefundNo,
      outTradeNo: refund.outTradeNo,
      amount: refund.amount,
      status: status(refund),
    })),
    consumptions: [...books.consumptions.values()].map(({ recordNo, userId, amount }) => ({
      recordNo,
      userId,
      amount,
    })),
    meals: [...meican.books.meals.values()].map((meal) => ({
      orderId: meal.orderId,
      email: meal.email,
      mealDate: meal.mealDate,
      mealType: meal.mealType,
      dishId: String(meal.dishes[0]?.dishId),
      live: meal.cancelledAt === null,
      foreign: meal.by === 'elsewhere',
    })),
    complaints: [...energy.complaints, ...meican.complaints].map(
      ({ call, rule, detail }) => `${call}: ${rule} ${detail}`,
    ),
  };
}
