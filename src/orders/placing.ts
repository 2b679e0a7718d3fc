import type { Database } from '../database/database.js';
import type { BoxOrder } from '../entities/box-order.js';
import type { Attempted, Ticket } from '../http/idempotency.js';
import type { MealInput } from './check-meals.js';
import type { Locks } from './lock.js';
import type { OrderNumbers } from './number.js';
import type { OrderTokens } from './order-token.js';
import type { PayDependencies, Payment } from './pay.js';
import type { StockMoves } from './stock.js';
import type { orderView } from './view.js';

/** What all steps of a placement work with. */

export interface PlaceDependencies extends PayDependencies {
  readonly database: Database;
  readonly locks: Locks;
  readonly numbers: OrderNumbers;
  /** Absent: any key is taken. */
  readonly tokens?: Pick<OrderTokens, 'use'>;
}

export interface PlaceRequest {
  readonly attempted: Attempted;
  readonly userId: string;
  readonly email: string;
  readonly realName: string;
  readonly garden: string;
  readonly meals: readonly MealInput[];
  readonly traceparent: string | null;
}

/** One request on its way. */
export interface Placing extends PlaceDependencies {
  readonly request: PlaceRequest;
  readonly ticket: Ticket;
}

/** An order of this request, as far as the later steps need it. */
export type PlacedOrder = Parameters<typeof orderView>[0] & Pick<BoxOrder, 'cutoffAt'>;

/** T1's orders. */
export interface Reserved {
  readonly orders: readonly PlacedOrder[];
  /**
   * What each order took from the stock, by order id; empty when an earlier run of this request reserved it.
   */
  readonly moves: ReadonlyMap<string, StockMoves>;
  /** The database's clock. */
  now(): Date;
}

/** By order id. An order that is missing here was never sent to the energy center. */
export type Payments = ReadonlyMap<string, Payment>;

/** The payload of the payment's guard, as T1 records it and the later steps find it. */
export function guardOf({ id, orderNo, userId, priceInCent }: PlacedOrder) {
  return { orderId: id, orderNo, userId, amountInCent: priceInCent };
}
