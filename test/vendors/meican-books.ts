import { createHash } from 'node:crypto';
import type { Clock } from './vendor.js';

export const MEAL_TYPES = ['BREAKFAST', 'LUNCH', 'DINNER'] as const;
export type MealType = (typeof MEAL_TYPES)[number];

/** Natural uniqueness: one live meal for one of these. */
export interface MealKey {
  readonly corp: string;
  readonly email: string;
  readonly mealDate: string;
  readonly mealType: MealType;
}

export interface OrderedDish {
  readonly dishId: number;
  readonly count: number;
  readonly priceInCent: number;
}

export interface Meal extends MealKey {
  readonly orderId: string;
  readonly realName: string;
  readonly addressId: string;
  readonly dishes: readonly OrderedDish[];
  /** `elsewhere`: by another channel than this API. */
  readonly by: 'us' | 'elsewhere';
  readonly placedAt: number;
  cancelledAt: number | null;
  cancelledBy: 'us' | 'elsewhere' | null;
  /** Its id has reached the caller: by an answer that came through whole, or by a list. */
  told: boolean;
  /** A multi answer has named it to a caller who asked for the same dish: adopting it, and cancelling it later, is then right. */
  offered: boolean;
}

/** The kitchen's orders. An id is never given twice. */
export class MeicanBooks {
  readonly meals = new Map<string, Meal>();
  private readonly live = new Map<string, Meal>();
  private ids = 0;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  newId(): string {
    this.ids += 1;
    return createHash('sha1').update(`meal ${this.ids}`).digest('hex').slice(0, 12);
  }

  liveOf(key: MealKey): Meal | undefined {
    return this.live.get(keyText(key));
  }

  place(
    meal: MealKey & Pick<Meal, 'realName' | 'addressId' | 'dishes' | 'by'>,
    orderId = this.newId(),
  ): Meal {
    const placed: Meal = {
      ...meal,
      orderId,
      placedAt: this.clock.now(),
      cancelledAt: null,
      cancelledBy: null,
      told: false,
      offered: false,
    };
    this.meals.set(placed.orderId, placed);
    this.live.set(keyText(placed), placed);
    return placed;
  }

  cancel(meal: Meal, by: 'us' | 'elsewhere'): void {
    meal.cancelledAt = this.clock.now();
    meal.cancelledBy = by;
    this.live.delete(keyText(meal));
  }

  /** The live meals of a day as they were at that instant. */
  ofDay(corp: string, mealDate: string, instant: number): Meal[] {
    const stood = (meal: Meal): boolean =>
      meal.placedAt <= instant && (meal.cancelledAt === null || meal.cancelledAt > instant);
    return [...this.meals.values()].filter(
      (meal) => meal.corp === corp && meal.mealDate === mealDate && stood(meal),
    );
  }
}

export function keyText({ corp, email, mealDate, mealType }: MealKey): string {
  return `${corp}|${email}|${mealDate}|${mealType}`;
}
