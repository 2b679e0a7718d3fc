import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import { audit, type Signature } from '../operate/audit.js';

/**
 * Name and address of the diner, for a person who must call them. Audited before it is shown. Throws Problem
 * `not-found`.
 */
export async function reveal(
  database: Database,
  orderId: string,
  act: Signature,
): Promise<{ realName: string; email: string }> {
  return database.transaction(async (tx) => {
    const order = await tx.manager.findOneBy(BoxOrder, { id: orderId });
    if (!order) throw new Problem('not-found', { detail: 'there is no such order' });
    await audit(tx, act, {
      verb: 'reveal',
      targetType: 'order',
      targetId: orderId,
      subjectId: orderId,
      before: {},
      after: {},
    });
    return { realName: order.realName, email: order.email };
  });
}
