import { z } from 'zod';
import { type MealType, mealNames, mealTypes } from '../entities/menu.js';
import { applied, type Outcome, unknown } from './outcome.js';
import { parseJson } from './transport.js';

/** What Meican's answers mean, once its result code is known. */

export type AddedOrder =
  | { readonly multi: false; readonly orderId: string }
  | { readonly multi: true; readonly orderId: string | null };

/** One order of the day list. What the list leaves out is null. */
export interface ListedOrder {
  readonly orderId: string;
  readonly email: string;
  readonly mealType: string | null;
  readonly dishes: readonly { readonly dishId: string | null; readonly name: string | null }[];
}

const envelope = z.object({
  resultCode: z.string().min(1),
  resultDescription: z.string().nullish(),
  data: z.unknown().optional(),
});
const id = z.union([z.string(), z.number()]).transform(String);
/** Text without spaces that our column can hold: an id of another type or shape is an answer that cannot be trusted. */
const orderId = z.string().regex(/^[\x21-\x7e]{1,64}$/);
const orderIdData = z.object({ orderId });
const dayList = z.object({
  orderList: z.array(
    z.object({
      /** `美餐网 午餐` */
      meal: z.string().nullish().catch(null),
      mealList: z.array(
        z.object({
          orderId,
          email: z.string().min(1),
          mealType: z.string().nullish(),
          orderContent: z.array(z.object({ name: z.string().nullish(), dishId: id.nullish() })).nullish(),
        }),
      ),
    }),
  ),
});

/**
 * The list need not name an order's meal type, but it groups the day by meal. A diner who has the same dish at
 * noon and in the evening has two orders there that nothing else tells apart.
 */
function mealTypeOfTitle(title: string | null | undefined): MealType | null {
  return mealTypes.find((mealType) => title?.includes(mealNames[mealType])) ?? null;
}

/** Null: the answer is not the envelope that Meican promises. */
export function readEnvelope(text: string): z.output<typeof envelope> | null {
  return envelope.safeParse(parseJson(text)).data ?? null;
}

/** Null: the code says nothing of an order. */
export function readAdded(code: string, data: unknown, multiOrder: string): Outcome<AddedOrder> | null {
  const named = orderIdData.safeParse(data);
  if (code === multiOrder)
    return applied<AddedOrder>({ multi: true, orderId: named.success ? named.data.orderId : null }, true);
  if (code !== 'OK') return null;
  return named.success
    ? applied<AddedOrder>({ multi: false, orderId: named.data.orderId })
    : unknown('NO_ORDER_ID', 'an OK without an order id');
}

export function readDayList(code: string, data: unknown): Outcome<ListedOrder[]> | null {
  if (code !== 'OK') return null;
  const parsed = dayList.safeParse(data);
  if (!parsed.success) return unknown('MALFORMED', 'the day list lacks a required field');
  return applied(
    parsed.data.orderList.flatMap(({ meal, mealList }) =>
      mealList.map(({ orderId, email, mealType, orderContent }) => ({
        orderId,
        email,
        mealType: mealType ?? mealTypeOfTitle(meal),
        dishes: (orderContent ?? []).map((dish) => ({
          dishId: dish.dishId ?? null,
          name: dish.name ?? null,
        })),
      })),
    ),
  );
}
