import { toRfc3339 } from '../base/clock.js';
import { Problem } from '../base/problems.js';
import type { Database, Queryable, Tx } from '../database/database.js';
import { now, raw, sql } from '../database/sql.js';
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
 * Makes the menu what `input` says. Dishes are matched by Meican's id, cabinets by location; totals change, what is sold stays sold;
 * what the input leaves out is withdrawn. Refused when a total is less than what has been sold.
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
  const conflict = raw(
    tx.dialect.name === 'mysql'
      ? 'ON DUPLICATE KEY UPDATE corp = VALUES(corp), cutoff_at = VALUES(cutoff_at), updated_at = VALUES(updated_at)'
      : 'ON CONFLICT DO UPDATE SET corp = excluded.corp, cutoff_at = excluded.cutoff_at, updated_at = excluded.updated_at',
  );
  await tx.execute(
    sql`INSERT INTO menu (garden, edible_date, meal_type, corp, cutoff_at, created_at, updated_at) VALUES (${garden}, ${date}, ${mealType}, ${corp}, ${cutoffAt}, ${now}, ${now}) ${conflict}`,
  );
  const [row] = await tx.query<{ id: unknown }>(
    sql`SELECT id FROM menu WHERE garden = ${garden} AND edible_date = ${date} AND meal_type = ${mealType}`,
  );
  return String(row?.id);
}

type Complaint = { path: string; message: string };

async function putSideboards(tx: Tx, menuId: string, wanted: MenuInput['sideboards']): Promise<Complaint[]> {
  const complaints: Complaint[] = [];
  const rows = await tx.query<{ id: unknown; location: string; sold: number | string }>(
    sql`SELECT id, location, capacity - remaining AS sold FROM box_sideboard WHERE menu_id = ${menuId} ORDER BY id ${raw(tx.dialect.forUpdate)}`,
  );
  for (const [i, { location, addressId, capacity }] of wanted.entries()) {
    const row = rows.find((candidate) => candidate.location === location);
    const sold = Number(row?.sold ?? 0);
    if (capacity < sold)
      complaints.push({ path: `sideboards.${i}.capacity`, message: `${sold} are taken already` });
    else if (row)
      await tx.execute(
        sql`UPDATE box_sideboard SET address_id = ${addressId}, capacity = ${capacity}, remaining = ${capacity - sold}, withdrawn = 0 WHERE id = ${String(row.id)}`,
      );
    else
      await tx.execute(
        sql`INSERT INTO box_sideboard (menu_id, location, address_id, capacity, remaining) VALUES (${menuId}, ${location}, ${addressId}, ${capacity}, ${capacity})`,
      );
  }
  for (const row of rows) {
    if (!wanted.some((sideboard) => sideboard.location === row.location))
      await tx.execute(
        sql`UPDATE box_sideboard SET capacity = ${Number(row.sold)}, remaining = 0, withdrawn = 1 WHERE id = ${String(row.id)}`,
      );
  }
  return complaints;
}

async function putDishes(tx: Tx, menuId: string, wanted: MenuInput['dishes']): Promise<Complaint[]> {
  const complaints: Complaint[] = [];
  const rows = await tx.query<{ id: unknown; meican_dish_id: string; sold: number | string }>(
    sql`SELECT id, meican_dish_id, stock - remaining AS sold FROM box_dish WHERE menu_id = ${menuId} ORDER BY id ${raw(tx.dialect.forUpdate)}`,
  );
  for (const [i, { meicanDishId, name, priceInCent, stock }] of wanted.entries()) {
    const row = rows.find((candidate) => candidate.meican_dish_id === meicanDishId);
    const sold = Number(row?.sold ?? 0);
    if (stock < sold) complaints.push({ path: `dishes.${i}.stock`, message: `${sold} are sold already` });
    else if (row)
      await tx.execute(
        sql`UPDATE box_dish SET name = ${name}, price_in_cent = ${priceInCent}, stock = ${stock}, remaining = ${stock - sold}, withdrawn = 0 WHERE id = ${String(row.id)}`,
      );
    else
      await tx.execute(
        sql`INSERT INTO box_dish (menu_id, meican_dish_id, name, price_in_cent, stock, remaining) VALUES (${menuId}, ${meicanDishId}, ${name}, ${priceInCent}, ${stock}, ${stock})`,
      );
  }
  for (const row of rows) {
    if (!wanted.some((dish) => dish.meicanDishId === row.meican_dish_id))
      await tx.execute(
        sql`UPDATE box_dish SET stock = ${Number(row.sold)}, remaining = 0, withdrawn = 1 WHERE id = ${String(row.id)}`,
      );
  }
  return complaints;
}
