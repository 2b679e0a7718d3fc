import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../database/database.js';
import { getMenu, putMenu } from '../../orders/menu.js';
import { cents, day, id, instant, mealType, menuDay, shortText } from '../schemas.js';

const total = z.number().int().min(0).max(1_000_000);
const key = z.object({ garden: shortText(64), date: day, mealType });
const writtenKey = key.extend({ date: menuDay });
/** It becomes part of Meican's URL, where a name of dots only would change the path. */
const corp = shortText(64).refine((value) => !/^\.+$/.test(value), 'not of dots only');
const unique =
  <T>(keyOf: (item: T) => string) =>
  (items: T[]): boolean =>
    new Set(items.map(keyOf)).size === items.length;

/** A menu as an operator, or the command line, hands it in. */
export const menuBody = z.object({
  corp,
  cutoffAt: instant.transform((value) => new Date(value)),
  dishes: z
    .array(
      z.object({
        meicanDishId: z.union([shortText(64), z.number().int().min(0)]).transform(String),
        name: shortText(200),
        priceInCent: cents,
        stock: total,
      }),
    )
    .min(1)
    .max(500)
    .refine(
      unique((dish: { meicanDishId: string }) => dish.meicanDishId),
      'a meicanDishId stands twice',
    ),
  sideboards: z
    .array(z.object({ location: shortText(200), addressId: shortText(64), capacity: total }))
    .min(1)
    .max(500)
    .refine(
      unique((sideboard: { location: string }) => sideboard.location),
      'a location stands twice',
    ),
});

const menuSchema = z
  .object({
    garden: z.string(),
    date: z.string(),
    mealType,
    corp: z.string(),
    cutoffAt: z.string(),
    dishes: z.array(
      z.object({
        id,
        meicanDishId: z.string(),
        name: z.string(),
        priceInCent: z.number(),
        stock: z.number(),
        remaining: z.number(),
      }),
    ),
    sideboards: z.array(
      z.object({
        id,
        location: z.string(),
        addressId: z.string(),
        capacity: z.number(),
        remaining: z.number(),
      }),
    ),
  })
  .meta({ id: 'Menu' });

export const menuRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (app, { database }) => {
  const url = '/v1/menus/:garden/:date/:mealType';
  app.put(
    url,
    {
      schema: {
        summary: 'Make the menu what the body says',
        params: writtenKey,
        body: menuBody,
        response: { 200: menuSchema },
      },
    },
    async (request) => {
      return putMenu(database, request.params, request.body);
    },
  );
  app.get(
    url,
    { schema: { summary: 'The menu and what is left', params: key, response: { 200: menuSchema } } },
    async (request) => {
      return getMenu(database, request.params);
    },
  );
};
