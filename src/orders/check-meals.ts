import { type Clock, carriedOn } from '../base/clock.js';
import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { fromSqlInstant } from '../database/sql.js';
import { type MealType, Menu } from '../entities/menu.js';
import { type DishRow, dishesAndCabinets } from './statements.js';

export interface MealInput {
  readonly dishId: string;
  readonly sideboardId: string;
  readonly edibleDate: string;
  readonly mealType: MealType;
}

/** A meal as it is ordered, with everything that the order must keep even if the menu changes. */
export interface CheckedMeal extends MealInput {
  readonly corp: string;
  readonly cutoffAt: Date;
  readonly dishName: string;
  readonly meicanDishId: string;
  readonly priceInCent: number;
  readonly addressId: string;
}

export interface CheckedMeals {
  readonly meals: CheckedMeal[];
  /** The database's clock, read with the meals and carried on by this process's monotonic one. */
  now(): Date;
}

/** Checks garden, day, meal, dish, cabinet and cut-off before anything is written. Throws Problem. */
export async function checkMeals(
  database: Database,
  clock: Clock,
  garden: string,
  meals: readonly MealInput[],
): Promise<CheckedMeals> {
  const dishIds = meals.map(({ dishId }) => dishId);
  const sideboardIds = meals.map(({ sideboardId }) => sideboardId);
  const rows = await database.query<DishRow>(dishesAndCabinets(dishIds, sideboardIds));
  const readAt = rows[0] ? fromSqlInstant(rows[0].now) : new Date(0);
  const checked = await Promise.all(
    meals.map(async (meal, i) => {
      const { dish, sideboard, addressId } = await rowsOf(database, rows, garden, meal);
      if (dish.edible_date !== meal.edibleDate || dish.meal_type !== meal.mealType)
        throw invalid(i, 'dishId', 'the dish is of another day or meal');
      if (String(sideboard.sideboard_menu_id) !== String(dish.menu_id))
        throw invalid(i, 'sideboardId', 'the cabinet is of another day, meal or garden');
      if (readAt >= fromSqlInstant(dish.cutoff_at)) throw new Problem('cutoff-passed');
      return checkedMeal(meal, dish, addressId);
    }),
  );
  const second = meals.findIndex((meal, i) => meals.findIndex((other) => isSameMeal(meal, other)) !== i);
  if (second >= 0) throw invalid(second, 'mealType', 'one order for each day and meal');
  return { meals: checked, now: carriedOn(readAt, clock) };
}

/** Throws Problem when the dish or the cabinet does not exist, or the dish belongs to another garden. */
async function rowsOf(database: Database, rows: readonly DishRow[], garden: string, meal: MealInput) {
  const dish = rows.find((row) => String(row.id) === meal.dishId);
  const sideboard = rows.find((row) => String(row.sideboard_id) === meal.sideboardId);
  if (!dish || !sideboard?.address_id || dish.garden !== garden)
    throw await whatIsMissing(database, garden, meal, Boolean(dish));
  return { dish, sideboard, addressId: sideboard.address_id };
}

function checkedMeal(meal: MealInput, dish: DishRow, addressId: string): CheckedMeal {
  return {
    ...meal,
    corp: dish.corp,
    cutoffAt: fromSqlInstant(dish.cutoff_at),
    dishName: dish.name,
    meicanDishId: dish.meican_dish_id,
    priceInCent: dish.price_in_cent,
    addressId,
  };
}

function isSameMeal(a: MealInput, b: MealInput): boolean {
  return a.edibleDate === b.edibleDate && a.mealType === b.mealType;
}

function invalid(i: number, member: string, message: string): Problem {
  return new Problem('validation', { errors: [{ path: `meals.${i}.${member}`, message }] });
}

/**
 * Names the first of these that is missing: garden, menu, dish, cabinet. A dish of another garden counts as
 * missing.
 */
async function whatIsMissing(
  { manager }: Database,
  garden: string,
  { edibleDate, mealType }: MealInput,
  dishKnown: boolean,
): Promise<Problem> {
  if (!(await manager.existsBy(Menu, { garden })))
    return new Problem('not-found', { detail: 'there is no such garden' });
  if (!(await manager.existsBy(Menu, { garden, edibleDate, mealType })))
    return new Problem('not-found', { detail: 'there is no menu for this day and meal' });
  return new Problem('not-found', {
    detail: dishKnown ? 'there is no such dish or cabinet in this garden' : 'there is no such dish',
  });
}
