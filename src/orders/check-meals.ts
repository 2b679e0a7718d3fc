import type { Database } from '../database/database.js';
import { fromSqlInstant, join, now, sql } from '../database/sql.js';
import type { MealType } from '../entities/menu.js';
import { Problem } from '../problems.js';

export interface MealInput {
  readonly dishId: string;
  readonly sideboardId: string;
  readonly edibleDate: string;
  readonly mealType: MealType;
}

/** A meal as it will be ordered: everything copied that the order must keep. */
export interface CheckedMeal extends MealInput {
  readonly corp: string;
  readonly cutoffAt: Date;
  readonly dishName: string;
  readonly meicanDishId: string;
  readonly priceInCent: number;
  readonly addressId: string;
}

interface DishRow {
  id: unknown;
  name: string;
  meican_dish_id: string;
  price_in_cent: number;
  menu_id: unknown;
  garden: string;
  edible_date: string;
  meal_type: string;
  corp: string;
  cutoff_at: unknown;
  now: unknown;
}

/** Garden, day, meal, dish, cabinet and cut-off, before anything is written. Throws Problem. Returns the database's now as well. */
export async function checkMeals(database: Database, garden: string, meals: readonly MealInput[]): Promise<{ meals: CheckedMeal[]; now: Date }> {
  const dishes = await database.query<DishRow>(sql`
    SELECT d.id, d.name, d.meican_dish_id, d.price_in_cent, d.menu_id, m.garden, m.edible_date, m.meal_type, m.corp, m.cutoff_at, ${now} AS now
    FROM box_dish d JOIN menu m ON m.id = d.menu_id WHERE d.withdrawn = 0 AND d.id IN (${join(meals.map((meal) => meal.dishId))})`);
  const sideboards = await database.query<{ id: unknown; menu_id: unknown; address_id: string }>(sql`
    SELECT id, menu_id, address_id FROM box_sideboard WHERE withdrawn = 0 AND id IN (${join(meals.map((meal) => meal.sideboardId))})`);
  const clock = dishes[0] ? fromSqlInstant(dishes[0].now) : new Date(0);

  const checked = await Promise.all(
    meals.map(async (meal, i): Promise<CheckedMeal> => {
      const dish = dishes.find((row) => String(row.id) === meal.dishId);
      const sideboard = sideboards.find((row) => String(row.id) === meal.sideboardId);
      if (!dish || !sideboard || dish.garden !== garden) throw await whatIsMissing(database, garden, meal, Boolean(dish));
      if (dish.edible_date !== meal.edibleDate || dish.meal_type !== meal.mealType) throw invalid(i, 'dishId', 'the dish is of another day or meal');
      if (String(sideboard.menu_id) !== String(dish.menu_id)) throw invalid(i, 'sideboardId', 'the cabinet is of another day, meal or garden');
      if (clock >= fromSqlInstant(dish.cutoff_at)) throw new Problem('cutoff-passed');
      return {
        ...meal,
        corp: dish.corp,
        cutoffAt: fromSqlInstant(dish.cutoff_at),
        dishName: dish.name,
        meicanDishId: dish.meican_dish_id,
        priceInCent: dish.price_in_cent,
        addressId: sideboard.address_id,
      };
    }),
  );
  const twice = meals.findIndex((meal, i) => meals.findIndex((other) => other.edibleDate === meal.edibleDate && other.mealType === meal.mealType) !== i);
  if (twice >= 0) throw invalid(twice, 'mealType', 'one order for each day and meal');
  return { meals: checked, now: clock };
}

function invalid(i: number, member: string, message: string): Problem {
  return new Problem('validation', { errors: [{ path: `meals.${i}.${member}`, message }] });
}

/** Names the first thing that is not there: garden, day and meal, dish, cabinet. A dish of another garden is not there, either. */
async function whatIsMissing(database: Database, garden: string, meal: MealInput, dishKnown: boolean): Promise<Problem> {
  const menus = await database.query<{ edible_date: string; meal_type: string }>(sql`
    SELECT edible_date, meal_type FROM menu WHERE garden = ${garden} ORDER BY CASE WHEN edible_date = ${meal.edibleDate} AND meal_type = ${meal.mealType} THEN 0 ELSE 1 END LIMIT 1`);
  const [menu] = menus;
  if (!menu) return new Problem('not-found', { detail: 'there is no such garden' });
  if (menu.edible_date !== meal.edibleDate || menu.meal_type !== meal.mealType)
    return new Problem('not-found', { detail: 'there is no menu for this day and meal' });
  return new Problem('not-found', { detail: dishKnown ? 'there is no such dish or cabinet in this garden' : 'there is no such dish' });
}
