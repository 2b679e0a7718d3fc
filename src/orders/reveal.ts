import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { sql } from '../database/sql.js';
import { type Act, audit } from '../operate/audit.js';

/** Whose order it is, as a person may need to know who calls them. Audited before it is shown. Throws Problem `not-found`. */
export async function reveal(
  database: Database,
  orderId: string,
  act: Act,
): Promise<{ realName: string; email: string }> {
  return database.transaction(async (tx) => {
    const [order] = await tx.query<{ real_name: string; email: string }>(
      sql`SELECT real_name, email FROM box_order WHERE id = ${orderId}`,
    );
    if (!order) throw new Problem('not-found', { detail: 'there is no such order' });
    await audit(tx, act, {
      verb: 'reveal',
      targetType: 'order',
      targetId: orderId,
      subjectId: orderId,
      before: {},
      after: {},
    });
    return { realName: order.real_name, email: order.email };
  });
}
