import { toRfc3339 } from '../base/clock.js';
import { Problem } from '../base/problems.js';
import type { Database, Queryable, Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { forUpdate } from '../database/locks.js';
import { insertRow } from '../database/rows.js';
import { BoxDish } from '../entities/box-dish.js';
import { BoxSideboard } from '../entities/box-sideboard.js';
import { type MealType, Menu } from '../entities/menu.js';

export interface MenuKey {
  readonly garden: string;
  readonly date: string;
  readonly mealType: MealType;
}

export interface MenuInput {
  readonly corp: string;
  readonly cutoffAt: Date;
  readonly dishes: readonly {
    readonly meicanDishId: string;
    readonly name: string;
    readonly priceInCent: number;
    readonly stock: number;
  }[];
  readonly sideboards: readonly {
    readonly location: string;
    readonly addressId: string;
    readonly capacity: number;
  }[];
}

/**
 * Makes the menu what `input` says. Dishes are matched by Meican's id, cabinets by location; totals change,
 * what is sold stays sold; what the input leaves out is withdrawn. Refused when a total is less than what has
 * been sold.
 */
export async function putMenu(
  database: Database,
  key: MenuKey,
  input: MenuInput,
): Promise<Awaited<ReturnType<typeof getMenu>>> {
  return database.transaction(async (tx) => {
    const menuId = await upsertMenu(tx, key, input);
    const tooSmall = [
      ...(await putSideboards(tx, menuId, input.sideboards)),
      ...(await putDishes(tx, menuId, input.dishes)),
    ];
    if (tooSmall.length > 0)
      throw new Problem('validation', {
        detail: 'a total is less than what has been sold',
        errors: tooSmall,
      });
    return getMenu(tx, key);
  });
}

/** Throws Problem `not-found` when there is no such menu. */
export async function getMenu(database: Queryable, key: MenuKey) {
  const menu = await database.manager.findOneBy(Menu, {
    garden: key.garden,
    edibleDate: key.date,
    mealType: key.mealType,
  });
  if (!menu) throw new Problem('not-found', { detail: 'there is no menu for this garden, day and meal' });
  const dishes = await database.manager.find(BoxDish, {
    where: { menuId: menu.id, withdrawn: 0 },
    order: { id: 'ASC' },
  });
  const sideboards = await database.manager.find(BoxSideboard, {
    where: { menuId: menu.id, withdrawn: 0 },
    order: { id: 'ASC' },
  });
  return {
    garden: menu.garden,
    date: menu.edibleDate,
    mealType: menu.mealType,
    corp: menu.corp,
    cutoffAt: toRfc3339(menu.cutoffAt),
    dishes: dishes.map(({ id, meicanDishId, name, priceInCent, stock, remaining }) => ({
      id,
      meicanDishId,
      name,
      priceInCent,
      stock,
      remaining,
    })),
    sideboards: sideboards.map(({ id, location, addressId, capacity, remaining }) => ({
      id,
      location,
      addressId,
      capacity,
      remaining,
    })),
  };
}

async function upsertMenu(
  tx: Tx,
  { garden, date, mealType }: MenuKey,
  { corp, cutoffAt }: MenuInput,
): Promise<string> {
  const key = { garden, edibleDate: date, mealType };
  await tx.manager
    .createQueryBuilder()
    .insert()
    .into(Menu)
    .values({ ...key, corp, cutoffAt, createdAt: instant(tx), updatedAt: instant(tx) })
    .orUpdate(['corp', 'cutoff_at', 'updated_at'], ['garden', 'edible_date', 'meal_type'])
    .updateEntity(false)
    .execute();
  return (await tx.manager.findOneByOrFail(Menu, key)).id;
}

type Complaint = { path: string; message: string };

async function putSideboards(tx: Tx, menuId: string, wanted: MenuInput['sideboards']): Promise<Complaint[]> {
  const complaints: Complaint[] = [];
  const rows = await tx.manager.find(BoxSideboard, {
    where: { menuId },
    order: { id: 'ASC' },
    ...forUpdate(tx),
  });
  for (const [i, { location, addressId, capacity }] of wanted.entries()) {
    const row = rows.find((candidate) => candidate.location === location);
    const taken = row ? row.capacity - row.remaining : 0;
    const totals = { addressId, capacity, remaining: capacity - taken };
    if (capacity < taken)
      complaints.push({ path: `sideboards.${i}.capacity`, message: `${taken} are taken already` });
    else if (row) await tx.manager.update(BoxSideboard, { id: row.id }, { ...totals, withdrawn: 0 });
    else await insertRow(tx, BoxSideboard, { menuId, location, ...totals, withdrawn: 0 });
  }
  for (const { id, location, capacity, remaining } of rows)
    if (!wanted.some((sideboard) => sideboard.location === location)) {
      const withdrawn = { capacity: capacity - remaining, remaining: 0, withdrawn: 1 };
      await tx.manager.update(BoxSideboard, { id }, withdrawn);
    }
  return complaints;
}

async function putDishes(tx: Tx, menuId: string, wanted: MenuInput['dishes']): Promise<Complaint[]> {
  const complaints: Complaint[] = [];
  const rows = await tx.manager.find(BoxDish, { where: { menuId }, order: { id: 'ASC' }, ...forUpdate(tx) });
  for (const [i, { meicanDishId, name, priceInCent, stock }] of wanted.entries()) {
    const row = rows.find((candidate) => candidate.meicanDishId === meicanDishId);
    const sold = row ? row.stock - row.remaining : 0;
    const totals = { name, priceInCent, stock, remaining: stock - sold };
    if (stock < sold) complaints.push({ path: `dishes.${i}.stock`, message: `${sold} are sold already` });
    else if (row) await tx.manager.update(BoxDish, { id: row.id }, { ...totals, withdrawn: 0 });
    else await insertRow(tx, BoxDish, { menuId, meicanDishId, ...totals, withdrawn: 0 });
  }
  for (const { id, meicanDishId, stock, remaining } of rows)
    if (!wanted.some((dish) => dish.meicanDishId === meicanDishId)) {
      const withdrawn = { stock: stock - remaining, remaining: 0, withdrawn: 1 };
      await tx.manager.update(BoxDish, { id }, withdrawn);
    }
  return complaints;
}
