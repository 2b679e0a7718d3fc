import type { Tx } from '../database/database.js';
import { after, now, sql } from '../database/sql.js';
import { MESSAGES_PER_MINUTE } from './limits.js';

const ROBOT = 'on-call';

/**
 * Takes one of the robot's slots of the last sixty seconds, for all processes together; false when they are used up.
 * A slot is used by the sending, whether or not the message arrives: the limit counts what WeCom receives.
 */
export async function takeSlot(tx: Tx, alertId: string, kind: string, content: string): Promise<boolean> {
  await tx.execute(sql`UPDATE alert_robot SET slots_taken = slots_taken + 1 WHERE name = ${ROBOT}`); // one at a time
  const [row] = await tx.query<{ n: number | string }>(
    sql`SELECT COUNT(*) AS n FROM alert_message WHERE robot = ${ROBOT} AND slot_at > ${after(-60_000)}`,
  );
  if (Number(row?.n) >= MESSAGES_PER_MINUTE) return false;
  await tx.execute(
    sql`INSERT INTO alert_message (robot, alert_id, kind, content, slot_at) VALUES (${ROBOT}, ${alertId}, ${kind}, ${content}, ${now})`,
  );
  return true;
}
