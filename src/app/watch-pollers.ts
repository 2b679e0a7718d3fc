import { alertMessage, raise } from '../alerts/raise.js';
import { instant, isNotAfter } from '../database/instants.js';
import { Alert } from '../entities/alert.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { heartbeats } from '../operate/health.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Logger } from './logging.js';

/** A scheduler counts as lost after 45 s; then this long at most, and the message's own ten seconds. Milliseconds. */
const LOOK_EVERY_MS = 10_000;
const DUE_FOR_MS = 60_000;

/**
 * A scheduler cannot report that no scheduler lives. So each API process looks: when none lives while an event is due, or one
 * fell silent, it raises an alert and sends it itself. Returns a function that stops the looking.
 */
export function watchPollers(outbox: Outbox, logger: Logger): () => void {
  const timer = setInterval(
    () =>
      void lookForPollers(outbox).catch((err: unknown) =>
        logger.warn({ err }, 'the look for schedulers failed'),
      ),
    LOOK_EVERY_MS,
  );
  timer.unref();
  return () => clearInterval(timer);
}

/** True when no scheduler lives and an alert tells of it. */
export async function lookForPollers(outbox: Outbox): Promise<boolean> {
  const { database } = outbox;
  const schedulers = (await heartbeats(database)).filter(
    ({ kind, state }) => kind !== 'api' && state !== 'ended',
  );
  if (schedulers.some(({ state }) => state === 'alive')) return false;
  const isDue = { queueAt: isNotAfter(database, -DUE_FOR_MS) };
  if (schedulers.length === 0 && !(await database.manager.existsBy(OutboxEvent, isDue))) return false;
  const open = { groupKey: 'poller-silent', status: 'open' } as const;
  const { affected } = await database.manager.update(Alert, open, { lastAt: instant(database) });
  if (!affected)
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
