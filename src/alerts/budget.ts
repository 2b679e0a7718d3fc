import type { Tx } from '../database/database.js';
import { instant, isAfter } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import { AlertMessage } from '../entities/alert-message.js';
import { AlertRobot } from '../entities/alert-robot.js';
import { MESSAGES_PER_MINUTE } from './limits.js';

const ROBOT = 'on-call';

/**
 * Takes one of the robot's slots of the last sixty seconds, for all processes together; false when they are
 * used up. Sending uses a slot whether or not the message arrives: WeCom's limit counts what it receives.
 */
export async function takeSlot(tx: Tx, alertId: string, kind: string, content: string): Promise<boolean> {
  await tx.manager.increment(AlertRobot, { name: ROBOT }, 'slotsTaken', 1); // locks the robot's row: one process at a time
  const taken = await tx.manager.countBy(AlertMessage, { robot: ROBOT, slotAt: isAfter(tx, -60_000) });
  if (taken >= MESSAGES_PER_MINUTE) return false;
  await insertRow(tx, AlertMessage, { robot: ROBOT, alertId, kind, content, slotAt: instant(tx) });
  return true;
}
