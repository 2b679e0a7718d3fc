import { alertMessage, raise } from '../alerts/raise.js';
import { after, sql } from '../database/sql.js';
import { heartbeats } from '../outbox/heartbeat.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Logger } from './logging.js';

/** A scheduler counts as lost after 45 s; then this long at most, and the message's own ten seconds. Milliseconds. */
const LOOK_EVERY_MS = 10_000;
const DUE_FOR_MS = 60_000;

/**
 * Whoever carries out events cannot tell that nobody does. So each API process looks whether a scheduler lives; if none does while
 * there is something to be done, or one fell silent, it raises an alert and sends it itself. Returns the way to stop.
 */
export function watchPollers(outbox: Outbox, logger: Logger): () => void {
  const timer = setInterval(
    () =>
      void lookForPollers(outbox).catch((err: unknown) =>
        logger.warn({ err }, 'nobody could look for the schedulers'),
      ),
    LOOK_EVERY_MS,
  );
  timer.unref();
  return () => clearInterval(timer);
}

/** True when no scheduler lives and people were, or are being, told. */
export async function lookForPollers(outbox: Outbox): Promise<boolean> {
  const { database } = outbox;
  const schedulers = (await heartbeats(database)).filter(
    ({ kind, state }) => kind !== 'api' && state !== 'ended',
  );
  if (schedulers.some(({ state }) => state === 'alive')) return false;
  const waiting = await database.query(
    sql`SELECT id FROM outbox_event WHERE queue_at <= ${after(-DUE_FOR_MS)} LIMIT 1`,
  );
  if (schedulers.length === 0 && waiting.length === 0) return false;
  const open = await database.query(
    sql`SELECT id FROM alert WHERE group_key = 'poller-silent' AND status = 'open' LIMIT 1`,
  );
  if (open.length > 0)
    await database.execute(sql`UPDATE alert SET last_at = ${after(0)} WHERE group_key = 'poller-silent'`);
  else
    await database.transaction((tx) =>
      raise(tx, {
        groupKey: 'poller-silent',
        kind: 'poller-silent',
        title: 'scheduler',
        cause: 'no scheduler lives: no event is carried out; orders are still taken',
        eventType: null,
        eventId: null,
        subjectId: null,
        subjectNo: null,
      }),
    );
  await outbox.claimAndStart({ onlyTypes: [alertMessage.type] });
  return true;
}
