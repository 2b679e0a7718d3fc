import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOrder } from '../../src/orders/find.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('an order is found on %s', (kind) => {
  let kit: Kit;
  let order: { id: string; orderNo: string };

  beforeAll(async () => {
    kit = await Kit.create(kind);
    const { body } = await kit.order(await kit.menu(), 'ann');
    order = body.orders[0] as typeof order;
  });
  afterAll(() => kit.close());

  it('by its number and by its id', async () => {
    for (const wanted of [order.id, order.orderNo])
      expect(await findOrder(kit.database, wanted)).toMatchObject({ id: order.id });
  });

  it('by nothing that only begins with its id: MySQL takes 12abc for 12', async () => {
    for (const wanted of [
      `${order.id}abc`,
      `${order.id} `,
      ` ${order.id}`,
      `${order.id}.0`,
      `${order.id}e0`,
      `+${order.id}`,
    ])
      await expect(findOrder(kit.database, wanted), wanted).rejects.toMatchObject({ code: 'not-found' });
  });
});
