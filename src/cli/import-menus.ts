import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { menuBody } from '../http/routes/menus.js';
import { mealType, menuDay, shortText } from '../http/schemas.js';
import { putMenu } from '../orders/menu.js';
import { say } from './print.js';
import { exit, Stop, withDatabase } from './shared.js';

const menuFile = menuBody.extend({ garden: shortText(64), date: menuDay, mealType });

/** Makes the menus what a JSON file says; a file with a mistake changes none of them. */
export async function importMenus(file: string): Promise<void> {
  const content = read(file);
  const parsed = z
    .array(menuFile)
    .min(1)
    .safeParse(Array.isArray(content) ? content : [content]);
  if (!parsed.success)
    throw new Stop(
      exit.usage,
      ...parsed.error.issues.map((issue) => `${file}: ${issue.path.join('.')}: ${issue.message}`),
    );
  await withDatabase(async (database) => {
    for (const { garden, date, mealType: meal, ...input } of parsed.data) {
      await putMenu(database, { garden, date, mealType: meal }, input);
      say(`${garden} ${date} ${meal}: ${input.dishes.length} dishes, ${input.sideboards.length} cabinets`);
    }
  });
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Stop(exit.usage, `${file}: ${(error as Error).message}`);
  }
}
