import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { requeue } from '../../src/operate/requeue.js';
import type { Failure } from '../../src/outbox/types.js';
import { databaseKinds, openDatabase } from '../support/databases.js';
import {
  done,
  failed,
  handlerOf,
  inVain,
  makeAllDue,
  outboxOf,
  recordNote,
  rowOf,
  runDue,
} from '../support/engine.js';

const act = { actor: 'ann', role: 'operator', reason: 'mended', requestId: null };
const broken = (what: string) => async (): Promise<never> => {
  throw new TypeError(what);
};

describe.each(databaseKinds)(
  'an effect, compensation or alert that throws does not keep an event from being settled, on %s',
  (kind) => {
    let database: Database;
    let n = 0;
    /** What on-call was told. */
    let told: Failure[] = [];
    const hooks = {
      errored: async (_tx: unknown, _event: unknown, failure: Failure) => void told.push(failure),
    };

    beforeAll(async () => {
      database = await openDatabase(kind);
    });
    afterAll(() => database.close());
    beforeEach(async () => {
      told = [];
      await database.execute(sql`DELETE FROM outbox_event`);
    });

    async function attempts(outbox: ReturnType<typeof outboxOf>, count: number): Promise<void> {
      for (let i = 0; i < count; i++) {
        await runDue(outbox);
        await makeAllDue(database);
      }
    }

    it('a compensation that throws: errored, the alert names what is missing, and a requeue runs it again', async () => {
      const id = await recordNote(database, { n: ++n });
      let isBroken = true;
      let compensated = 0;
      const onErrored = async (): Promise<void> => {
        if (isBroken) throw new TypeError('payload is null');
        compensated += 1;
      };
      await attempts(
        outboxOf(
          database,
          handlerOf(async () => failed, { onErrored }),
          {},
          hooks,
        ),
        3,
      );
      expect(await rowOf(database, id)).toMatchObject({
        status: 'errored',
        failures: 3,
        outcome: 'not-applied',
        last_error_code: 'compensation-failed',
      });
      expect(told).toMatchObject([
        {
          code: 'compensation-failed',
          message: expect.stringMatching(/COMPENSATION IS MISSING.*payload is null.*E: not today/),
        },
      ]);
      isBroken = false;
      await requeue(database, id, act);
      await attempts(
        outboxOf(
          database,
          handlerOf(async () => failed, { onErrored }),
          {},
          hooks,
        ),
        3,
      );
      expect(compensated).toBe(1);
      expect(await rowOf(database, id)).toMatchObject({ status: 'errored', last_error_code: 'E' });
    });

    it('an unreadable payload is never passed to the compensation, and raises the alert', async () => {
      const id = await recordNote(database, { n: ++n });
      await database.execute(sql`UPDATE outbox_event SET payload = '{"n":"x"}' WHERE id = ${id}`);
      await attempts(
        outboxOf(
          database,
          handlerOf(async () => done, { onErrored: broken('reads the payload') }),
          {},
          hooks,
        ),
        1,
      );
      expect(await rowOf(database, id)).toMatchObject({
        status: 'errored',
        attempt: 1,
        last_error_code: 'payload-invalid',
      });
      expect(told).toMatchObject([
        { code: 'payload-invalid', message: expect.stringContaining('nothing can be compensated') },
      ]);
    });

    it('an alert that cannot be raised: errored and compensated all the same, and the process reports it', async () => {
      const id = await recordNote(database, { n: ++n });
      let compensated = 0;
      const outbox = outboxOf(
        database,
        handlerOf(async () => failed, {
          onErrored: async () => {
            compensated += 1;
          },
        }),
        { failuresMax: 1 },
        { errored: broken('no such group') },
      );
      const reported: string[] = [];
      outbox.signals.on('alert-failed', ({ eventId }) => reported.push(eventId));
      await attempts(outbox, 1);
      expect(await rowOf(database, id)).toMatchObject({ status: 'errored', last_error_code: 'E' });
      expect([compensated, reported]).toEqual([2, [id]]); // twice: the first run was rolled back with its transaction
    });

    it('compensation and alert both throw: errored all the same', async () => {
      const id = await recordNote(database, { n: ++n });
      const handler = handlerOf(async () => failed, { onErrored: broken('a') });
      await attempts(outboxOf(database, handler, { failuresMax: 1 }, { errored: broken('b') }), 1);
      expect(await rowOf(database, id)).toMatchObject({
        status: 'errored',
        last_error_code: 'compensation-failed',
      });
    });

    it('an alert about vain questions that cannot be raised: the event goes on asking', async () => {
      const id = await recordNote(database, { n: ++n });
      await attempts(
        outboxOf(database, async () => inVain, {}, { askedInVain: broken('no such group') }),
        4,
      );
      expect(await rowOf(database, id)).toMatchObject({ status: 'pending', failures: 0, vain_questions: 4 });
    });

    it('an effect that always throws: the outcome stays unknown, the vendor is asked before anything is repeated, and the event ends errored', async () => {
      const id = await recordNote(database, { n: ++n });
      const seen: boolean[] = [];
      const outbox = outboxOf(
        database,
        handlerOf(
          async (event) => {
            seen.push(event.unknownAt !== null);
            return { ...done, effect: broken('no such column') };
          },
          { onErrored: broken('as well') },
        ),
        {},
        hooks,
      );
      await attempts(outbox, 4);
      expect(seen).toEqual([false, true, true]);
      expect(await rowOf(database, id)).toMatchObject({ status: 'errored', failures: 3, outcome: 'unknown' });
      expect(told).toHaveLength(1);
    });
  },
);
