import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Database } from '../../src/database/database.js';
import { fromSqlInstant, now, sql } from '../../src/database/sql.js';
import { discard } from '../../src/operate/discard.js';
import { prune } from '../../src/operate/prune.js';
import { requeue } from '../../src/operate/requeue.js';
import { claim } from '../../src/outbox/claim.js';
import { Outbox } from '../../src/outbox/outbox.js';
import { Poller } from '../../src/outbox/poll.js';
import { record } from '../../src/outbox/record.js';
import { type HandlerContext, LeaseLost, RecordedOutsideTransaction } from '../../src/outbox/types.js';
import { onDue } from '../../src/outbox/wake.js';
import { allDatabaseKinds, migratedDatabase } from '../support/databases.js';
import {
  attemptsOf,
  done,
  expireLease,
  failed,
  handlerOf,
  makeAllDue,
  note,
  outboxOf,
  recordNote,
  rowOf,
  runDue,
} from '../support/engine.js';

const act = { actor: 'ann', role: 'operator', reason: 'because', requestId: null };

describe.each(allDatabaseKinds)('the outbox on %s', (kind) => {
  let database: Database;
  /** A second connection pool, as another process has. */
  let other: Database;
  let n = 0;
  const next = (): number => ++n;

  beforeAll(async () => {
    const url = await migratedDatabase(kind);
    database = await Database.open({ url });
    other = await Database.open({ url });
  });
  afterAll(async () => {
    await database.close();
    await other.close();
  });
  beforeEach(async () => {
    await database.execute(sql`DELETE FROM event_attempt`);
    await database.execute(sql`DELETE FROM outbox_event`);
  });

  describe('record', () => {
    it('an event exists if, and only if, its transaction commits', async () => {
      await expect(
        database.transaction(async (tx) => {
          await record(tx, note, { n: next() });
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await database.query(sql`SELECT id FROM outbox_event`)).toHaveLength(0);
      await recordNote(database, { n: next() });
      expect(await database.query(sql`SELECT id FROM outbox_event`)).toHaveLength(1);
    });

    it('refuses to record outside a transaction, or in one that has ended', async () => {
      await expect(record(database as never, note, { n: 1 })).rejects.toThrow(RecordedOutsideTransaction);
      const ended = await database.transaction(async (tx) => tx);
      await expect(record(ended, note, { n: 1 })).rejects.toThrow(RecordedOutsideTransaction);
    });

    it('refuses a payload that does not fit or is too large; it never cuts a payload', async () => {
      await expect(recordNote(database, { n: 'x' } as never)).rejects.toThrow(/schema at n/);
      await expect(recordNote(database, { n: next(), key: 'k'.repeat(20_000) })).rejects.toThrow(
        /more than 16384/,
      );
      expect(await database.query(sql`SELECT id FROM outbox_event`)).toHaveLength(0);
    });

    it('records the same dedupe key once', async () => {
      const value = { n: next() };
      const first = await database.transaction((tx) => record(tx, note, value));
      const second = await database.transaction((tx) => record(tx, note, value));
      expect([first.isNew, second.isNew, second.id]).toEqual([true, false, first.id]);
    });

    it('wakes after the commit, never after a rollback', async () => {
      const listener = vi.fn();
      const stop = onDue(database, listener);
      await database.transaction(async (tx) => {
        await record(tx, note, { n: next() });
        expect(listener).not.toHaveBeenCalled();
      });
      expect(listener).toHaveBeenCalledOnce();
      await database
        .transaction(async (tx) => {
          await record(tx, note, { n: next() });
          throw new Error('no');
        })
        .catch(() => {});
      expect(listener).toHaveBeenCalledOnce();
      stop();
    });

    it('stores instants in UTC, whatever the time zone of the server', async () => {
      const id = await recordNote(database, { n: next() });
      const [row] = await database.query<{ created_at: unknown; run_at: unknown }>(
        sql`SELECT created_at, run_at FROM outbox_event WHERE id = ${id}`,
      );
      expect(Math.abs(fromSqlInstant(row?.created_at).getTime() - Date.now())).toBeLessThan(5_000);
      expect(Math.abs((await database.now()).getTime() - Date.now())).toBeLessThan(5_000);
    });
  });

  describe('claim', () => {
    it('in a backlog claims the earliest deadlines first, then the longest due', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 6; i++) ids.push(await recordNote(database, { n: next() }));
      const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000);
      const late = await recordNote(database, { n: next() }, { deadlineAt: inHours(3) });
      const soon = await recordNote(database, { n: next() }, { deadlineAt: inHours(1) });
      await recordNote(database, { n: next() }, { deadlineAt: inHours(0.5), runInMs: 60_000 }); // not due
      const order: string[] = [];
      const outbox = outboxOf(database, async (event) => {
        order.push(event.id);
        return done;
      });
      const poller = new Poller(outboxOf(database, outbox.registry.all()[0] as never, { batchSize: 3 }), {
        cron: '0 0 1 1 *',
        lookAheadMs: 15_000,
      });
      poller.start();
      await vi.waitFor(() => expect(order).toHaveLength(8));
      await poller.stop();
      // The first fetch takes the longest due; it was full, so there is a backlog.
      expect(order.slice(0, 3)).toEqual(ids.slice(0, 3));
      expect(order.slice(3, 6)).toEqual([soon, late, ids[3]]);
    });

    it('two processes never claim the same event', async () => {
      for (let i = 0; i < 60; i++) await recordNote(database, { n: next() });
      const ran: string[] = [];
      const one = outboxOf(database, async (event) => {
        ran.push(event.id);
        return done;
      });
      const two = outboxOf(other, async (event) => {
        ran.push(event.id);
        return done;
      });
      await Promise.all([runDue(one), runDue(two), runDue(one), runDue(two)]);
      expect(ran).toHaveLength(60);
      expect(new Set(ran).size).toBe(60);
    });

    it('takes ten at a time, the longest due first', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 12; i++) ids.push(await recordNote(database, { n: next() }));
      const outbox = outboxOf(database, async () => done, { concurrencyPerTarget: 100 });
      const claimed = await claim(database, outbox.registry, {
        limit: 10,
        worker: 'w',
        leaseMs: 1000,
        trigger: 'poll',
      });
      expect(claimed.rows.map((row) => row.id)).toEqual(ids.slice(0, 10));
      expect(claimed.full).toBe(true);
    });

    it('leaves events that are not due, and returns when the next falls due', async () => {
      await recordNote(database, { n: next() }, { runInMs: 8_000 });
      const outbox = outboxOf(database, async () => done);
      const claimed = await claim(database, outbox.registry, {
        limit: 10,
        worker: 'w',
        leaseMs: 1000,
        trigger: 'poll',
        lookAheadMs: 15_000,
      });
      expect(claimed.rows).toHaveLength(0);
      expect(claimed.nextDueInMs).toBeGreaterThan(6_000);
      expect(claimed.nextDueInMs).toBeLessThan(8_100);
    });

    it('writes the attempt before the handler starts', async () => {
      const id = await recordNote(database, { n: next() });
      let seen: unknown[] = [];
      await runDue(
        outboxOf(database, async () => {
          seen = await attemptsOf(other, id);
          return done;
        }),
      );
      expect(seen).toMatchObject([{ number: 1, finished_at: null, outcome: null }]);
      expect(await attemptsOf(database, id)).toMatchObject([{ number: 1, outcome: 'applied' }]);
    });

    it('an event whose worker died falls due again, counted as an interruption, its outcome unknown', async () => {
      const id = await recordNote(database, { n: next() });
      const outbox = outboxOf(database, async () => done);
      await claim(database, outbox.registry, {
        limit: 10,
        worker: 'the dead',
        leaseMs: 10_000,
        trigger: 'poll',
      });
      await runDue(outbox);
      expect(await rowOf(database, id)).toMatchObject({ status: 'pending', attempt: 1 });
      await expireLease(database, id);
      let seen: { unknownAt: Date | null; interruptions: number } | undefined;
      await runDue(
        outboxOf(database, async (event) => {
          seen = event;
          return done;
        }),
      );
      expect(seen?.interruptions).toBe(1);
      expect(seen?.unknownAt).not.toBeNull();
      expect(await rowOf(database, id)).toMatchObject({ status: 'handled', attempt: 2, failures: 0 });
      expect(await attemptsOf(database, id)).toMatchObject([
        { number: 1, outcome: 'unknown', error_code: 'interrupted' },
        { number: 2, outcome: 'applied' },
      ]);
    });

    it('after three interruptions in a row an event is errored, without another run', async () => {
      const id = await recordNote(database, { n: next() });
      const handle = vi.fn(async () => done);
      const outbox = outboxOf(database, handle);
      for (let i = 0; i < 3; i++) {
        await claim(database, outbox.registry, {
          limit: 10,
          worker: 'the dead',
          leaseMs: 10_000,
          trigger: 'poll',
        });
        await expireLease(database, id);
      }
      await runDue(outbox);
      expect(handle).not.toHaveBeenCalled();
      expect(await rowOf(database, id)).toMatchObject({
        status: 'errored',
        last_error_code: 'interrupted',
        failures: 0,
      });
    });

    it('an unknown type and a newer version are left alone and reported, and hold up no other event', async () => {
      await database.transaction((tx) => record(tx, { ...note, type: 'FROM_THE_FUTURE' }, { n: next() }));
      await database.transaction((tx) => record(tx, { ...note, version: 2 }, { n: next() }));
      const known = await recordNote(database, { n: next() });
      const outbox = outboxOf(database, async () => done);
      const reported: string[] = [];
      outbox.signals.on('left-alone', ({ type, version, count }) =>
        reported.push(`${type} ${version} ${count}`),
      );
      await runDue(outbox);
      expect((await rowOf(database, known)).status).toBe('handled');
      expect(reported.sort()).toEqual(['FROM_THE_FUTURE 1 1', 'NOTE 2 1']);
      const rows = await database.query(
        sql`SELECT id FROM outbox_event WHERE status = 'pending' AND attempt = 0 AND failures = 0`,
      );
      expect(rows).toHaveLength(2);
    });
  });

  describe('settle', () => {
    it('a worker that lost its lease writes nothing: neither the event nor its effects', async () => {
      const id = await recordNote(database, { n: next() });
      let wake: () => void = () => {};
      const asleep = new Promise<void>((resolve) => (wake = resolve));
      const effect = vi.fn(async () => {});
      const zombie = outboxOf(database, async () => {
        await asleep;
        return { ...done, effect };
      });
      const lost: string[] = [];
      zombie.signals.on('lease-lost', ({ eventId }) => lost.push(eventId));
      await zombie.claimAndStart();
      await expireLease(database, id);
      await runDue(
        outboxOf(other, async () => ({
          kind: 'retry',
          failure: { outcome: 'not-applied', code: 'SECOND', message: '' },
        })),
      );
      wake();
      await zombie.drain(1000);
      expect(await rowOf(database, id)).toMatchObject({
        status: 'pending',
        attempt: 2,
        last_error_code: 'SECOND',
      });
      expect(effect).not.toHaveBeenCalled();
      expect(lost).toEqual([id]);
    });

    it('a worker that lost its lease is refused a step in the middle of its attempt, too', async () => {
      const id = await recordNote(database, { n: next() });
      let error: unknown;
      await runDue(
        outboxOf(database, async (_event, context: HandlerContext) => {
          await database.execute(sql`UPDATE outbox_event SET attempt = attempt + 1 WHERE id = ${id}`); // another worker has claimed it
          error = await context.step(async () => {}).catch((caught: unknown) => caught);
          return done;
        }),
      );
      expect(error).toBeInstanceOf(LeaseLost);
      expect((await rowOf(database, id)).status).toBe('pending');
    });

    it('the event and its effects are settled together or not at all', async () => {
      const id = await recordNote(database, { n: next() });
      await runDue(
        outboxOf(database, async () => ({
          ...done,
          effect: async (tx) => {
            await tx.execute(sql`INSERT INTO order_counter (business_day, seq) VALUES (${`t${n}`}, 1)`);
            throw new Error('the disk is wet');
          },
        })),
      );
      expect(
        await database.query(sql`SELECT seq FROM order_counter WHERE business_day = ${`t${n}`}`),
      ).toHaveLength(0);
      // It is not lost either: the attempt counts as failed. What the vendor did is not in our books: unknown until it is asked.
      expect(await rowOf(database, id)).toMatchObject({
        status: 'pending',
        failures: 1,
        outcome: 'unknown',
        last_error_code: 'effect-failed',
      });
    });

    it('the third failure makes an event errored, once, with its effects and the hook', async () => {
      const errored = vi.fn(async () => {});
      const onErrored = vi.fn(async () => {});
      const id = await recordNote(database, { n: next() });
      const outbox = outboxOf(
        database,
        handlerOf(async () => failed, { onErrored }),
        {},
        { errored },
      );
      for (let i = 0; i < 5; i++) {
        await runDue(outbox);
        await makeAllDue(database);
      }
      expect(await rowOf(database, id)).toMatchObject({
        status: 'errored',
        attempt: 3,
        failures: 3,
        queue_at: null,
      });
      expect([errored.mock.calls.length, onErrored.mock.calls.length]).toEqual([1, 1]);
      expect(await attemptsOf(database, id)).toHaveLength(3);
    });

    it('a handler that throws counts as a failure, and its error is kept', async () => {
      const id = await recordNote(database, { n: next() });
      await runDue(
        outboxOf(database, async () => {
          throw new TypeError('x is undefined');
        }),
      );
      expect(await rowOf(database, id)).toMatchObject({
        status: 'pending',
        failures: 1,
        outcome: 'unknown',
        last_error_code: 'handler-threw',
      });
    });

    it('a handler that exceeds its deadline counts as a failure, even if it ignores the signal', async () => {
      const id = await recordNote(database, { n: next() });
      await runDue(
        outboxOf(
          database,
          handlerOf(() => new Promise(() => {}), { limits: { deadlineMs: 50, maxSnoozeMs: 1 } }),
        ),
      );
      expect(await rowOf(database, id)).toMatchObject({ failures: 1, last_error_code: 'deadline-exceeded' });
    });

    it('a stored payload that does not fit is errored at once, and the next event goes on', async () => {
      const id = await recordNote(database, { n: next() });
      await database.execute(sql`UPDATE outbox_event SET payload = 'not json' WHERE id = ${id}`);
      const well = await recordNote(database, { n: next() });
      await runDue(outboxOf(database, async () => done));
      expect(await rowOf(database, id)).toMatchObject({
        status: 'errored',
        last_error_code: 'payload-invalid',
      });
      expect((await rowOf(database, well)).status).toBe('handled');
    });

    it('a snooze counts no failure and has an end', async () => {
      const id = await recordNote(database, { n: next() });
      const outbox = outboxOf(
        database,
        handlerOf(async () => ({ kind: 'snooze', afterMs: 60_000, outcome: null, reason: 'resting' }), {
          limits: { deadlineMs: 1000, maxSnoozeMs: 30_000 },
        }),
      );
      for (let i = 0; i < 4; i++) {
        await runDue(outbox);
        await makeAllDue(database);
      }
      expect(await rowOf(database, id)).toMatchObject({ status: 'pending', failures: 0, attempt: 4 });
      await database.execute(
        sql`UPDATE outbox_event SET snooze_since = '2026-01-01 00:00:00.000' WHERE id = ${id}`,
      );
      await runDue(outbox);
      expect(await rowOf(database, id)).toMatchObject({ failures: 1, last_error_code: 'snoozed-too-long' });
    });
  });

  describe('order within a key', () => {
    it('events of a key run one at a time, in the order recorded; other keys never wait', async () => {
      const log: number[] = [];
      let running = 0;
      let most = 0;
      const base = n;
      for (let i = 0; i < 5; i++) await recordNote(database, { n: next(), key: 'k' });
      const free = await recordNote(database, { n: next(), key: 'l' });
      const handle = async (event: { payload: { n: number; key?: string | undefined } }) => {
        if (event.payload.key !== 'k') return done;
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        log.push(event.payload.n - base);
        return done;
      };
      await Promise.all([runDue(outboxOf(database, handle)), runDue(outboxOf(other, handle))]);
      await runDue(outboxOf(database, handle));
      expect(log).toEqual([1, 2, 3, 4, 5]);
      expect(most).toBe(1);
      expect((await rowOf(database, free)).status).toBe('handled');
    });

    it('a failing first event holds its key back until it is errored or discarded', async () => {
      const head = await recordNote(database, { n: next(), key: 'k' });
      const behind = await recordNote(database, { n: next(), key: 'k' });
      const outbox = outboxOf(database, async (event) => (event.id === head ? failed : done));
      await runDue(outbox);
      expect(await rowOf(database, behind)).toMatchObject({ status: 'pending', attempt: 0, queue_at: null });
      await discard(database, outbox.registry, head, act);
      await runDue(outbox);
      expect((await rowOf(database, behind)).status).toBe('handled');
    });

    it('an event recorded while its predecessor settles is never left behind', async () => {
      const key = 'k';
      const first = await recordNote(database, { n: next(), key });
      let finish: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        finish = resolve;
      });
      const settling = outboxOf(database, () => gate.then(() => done));
      await settling.claimAndStart();
      let second = '';
      await other.transaction(async (tx) => {
        second = (await record(tx, note, { n: next(), key })).id; // sees its predecessor, and stands behind it
        finish();
        // The predecessor cannot settle before we commit: it would not see us, and no transaction would ever let us go on.
        const before = await Promise.race([
          settling.oneEnded().then(() => 'settled'),
          new Promise((resolve) => setTimeout(() => resolve('waits'), 300)),
        ]);
        expect(before).toBe('waits');
      });
      await settling.drain(5_000);
      expect((await rowOf(database, first)).status).toBe('handled');
      await runDue(outboxOf(database, async () => done));
      expect((await rowOf(database, second)).status).toBe('handled');
    });

    it('two first events of a key, recorded by transactions that do not see each other, still run one at a time', async () => {
      const [older, younger] = [
        await recordNote(database, { n: next(), key: 'k' }),
        await recordNote(database, { n: next(), key: 'k' }),
      ];
      await database.execute(sql`UPDATE outbox_event SET queue_at = run_at WHERE id = ${younger}`); // as both would stand in the queue
      const outbox = outboxOf(database, async () => done);
      const claimed = await claim(database, outbox.registry, {
        limit: 10,
        worker: 'w',
        leaseMs: 10_000,
        trigger: 'poll',
      });
      expect(claimed.rows.map((row) => row.id)).toEqual([older]);
      await expireLease(database, older);
      await runDue(outbox);
      expect((await rowOf(database, younger)).status).toBe('handled');
    });

    it('a requeued event runs before younger events of its key that wait; they follow', async () => {
      const head = await recordNote(database, { n: next(), key: 'k' });
      await runDue(
        outboxOf(database, async () => ({
          kind: 'give-up',
          failure: { outcome: 'rejected', code: 'NO', message: '' },
        })),
      );
      const waits = await recordNote(database, { n: next(), key: 'k' });
      await runDue(
        outboxOf(database, async () => ({
          kind: 'snooze',
          afterMs: 3_600_000,
          outcome: null,
          reason: 'later',
        })),
      );
      await requeue(database, head, act);
      const outbox = outboxOf(database, async () => done);
      await runDue(outbox);
      expect([(await rowOf(database, head)).status, (await rowOf(database, waits)).status]).toEqual([
        'handled',
        'pending',
      ]);
      await makeAllDue(database);
      await runDue(outbox);
      expect((await rowOf(database, waits)).status).toBe('handled');
    });

    it('a requeued event runs as soon as the younger event that runs has to wait', async () => {
      const head = await recordNote(database, { n: next(), key: 'k' });
      await runDue(
        outboxOf(database, async () => ({
          kind: 'give-up',
          failure: { outcome: 'rejected', code: 'NO', message: '' },
        })),
      );
      const younger = await recordNote(database, { n: next(), key: 'k' });
      await runDue(
        outboxOf(database, async (event) => {
          if (event.id === head) return done;
          await requeue(other, head, act); // while the younger event runs
          return { kind: 'snooze', afterMs: 3_600_000, outcome: null, reason: 'later' };
        }),
      );
      expect([(await rowOf(database, head)).status, (await rowOf(database, younger)).status]).toEqual([
        'handled',
        'pending',
      ]);
    });

    it('a requeued event waits for the running attempt of its key', async () => {
      const head = await recordNote(database, { n: next(), key: 'k' });
      const outbox = outboxOf(database, async () => ({
        kind: 'give-up',
        failure: { outcome: 'rejected', code: 'NO', message: '' },
      }));
      await runDue(outbox);
      const later = await recordNote(database, { n: next(), key: 'k' });
      const running = outboxOf(other, async () => done);
      await claim(other, running.registry, { limit: 10, worker: 'other', leaseMs: 10_000, trigger: 'poll' });
      await requeue(database, head, act);
      const order: string[] = [];
      const third = outboxOf(database, async (event) => {
        order.push(event.id);
        return done;
      });
      await runDue(third);
      expect(order).toEqual([]);
      await expireLease(database, later);
      await runDue(third);
      await runDue(third);
      expect(order.sort()).toEqual([head, later].sort());
    });
  });

  describe('leases', () => {
    it('a living worker renews, so that a long attempt is not started twice', async () => {
      const id = await recordNote(database, { n: next() });
      let finish: () => void = () => {};
      const long = new Promise<void>((resolve) => (finish = resolve));
      const outbox = outboxOf(database, () => long.then(() => done), { leaseMs: 1_000 });
      await outbox.claimAndStart();
      const first = fromSqlInstant((await rowOf(database, id)).lease_until).getTime();
      await expect
        .poll(async () => fromSqlInstant((await rowOf(database, id)).lease_until).getTime(), {
          timeout: 5_000,
        })
        .toBeGreaterThan(first);
      finish();
      await outbox.drain(1_000);
      expect(await rowOf(database, id)).toMatchObject({ status: 'handled', attempt: 1 });
    });

    it('a worker that has lost its lease has its signal aborted', async () => {
      const id = await recordNote(database, { n: next() });
      let reason: unknown;
      const outbox = outboxOf(
        database,
        (_event, context) =>
          new Promise((resolve) =>
            context.signal.addEventListener('abort', () => {
              reason = context.signal.reason;
              resolve(done);
            }),
          ),
        { leaseMs: 1_000 },
      );
      await outbox.claimAndStart();
      await database.execute(
        sql`UPDATE outbox_event SET claimed_by = 'somebody else', attempt = attempt + 1 WHERE id = ${id}`,
      );
      await expect.poll(() => reason, { timeout: 5_000 }).toBeInstanceOf(LeaseLost);
      await outbox.drain(1_000);
      expect((await rowOf(database, id)).status).toBe('pending');
    });
  });

  describe('requeue and discard', () => {
    const giveUp = async () =>
      ({ kind: 'give-up', failure: { outcome: 'rejected', code: 'NO', message: 'never' } }) as const;

    it('requeue gives fresh failures, keeps the attempts, and is audited in the same transaction', async () => {
      const id = await recordNote(database, { n: next() }, { subjectId: '7' });
      await runDue(outboxOf(database, giveUp));
      await requeue(database, id, act);
      expect(await rowOf(database, id)).toMatchObject({ status: 'pending', failures: 0, attempt: 1 });
      const audit = await database.query(
        sql`SELECT actor, verb, reason, subject_id FROM operator_action WHERE target_id = ${id} AND target_type = 'event'`,
      );
      expect(audit).toMatchObject([{ actor: 'ann', verb: 'requeue', reason: 'because', subject_id: '7' }]);
      await runDue(outboxOf(database, async () => done));
      expect(await attemptsOf(database, id)).toHaveLength(2);
    });

    it('two requeues at once: a single one succeeds; an event that is not errored is refused', async () => {
      const id = await recordNote(database, { n: next() });
      await expect(requeue(database, id, act)).rejects.toMatchObject({
        code: 'event-not-errored',
        currentStatus: 'pending',
      });
      await runDue(outboxOf(database, giveUp));
      const results = await Promise.allSettled([
        requeue(database, id, act),
        requeue(other, id, act),
        requeue(database, id, act),
      ]);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([
        { reason: { code: 'event-not-errored' } },
        { reason: { code: 'event-not-errored' } },
      ]);
      await expect(requeue(database, '999999999', act)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('a running event cannot be discarded', async () => {
      const id = await recordNote(database, { n: next() });
      const outbox = outboxOf(database, async () => done);
      await claim(database, outbox.registry, { limit: 1, worker: 'w', leaseMs: 10_000, trigger: 'poll' });
      await expect(discard(database, outbox.registry, id, act)).rejects.toMatchObject({
        code: 'event-not-discardable',
        currentStatus: 'running',
      });
    });

    it('raising the failure limit revives no errored event', async () => {
      const id = await recordNote(database, { n: next() });
      await runDue(outboxOf(database, giveUp));
      await makeAllDue(database);
      await runDue(outboxOf(database, async () => done, { failuresMax: 100 }));
      expect((await rowOf(database, id)).status).toBe('errored');
    });
  });

  describe('the poller', () => {
    it('drains: a full fetch is followed by the next at once', async () => {
      for (let i = 0; i < 35; i++) await recordNote(database, { n: next() });
      const outbox = outboxOf(database, async () => done);
      const poller = new Poller(outbox, { cron: '0 0 0 1 1 *', lookAheadMs: 15_000 });
      const swept = new Promise<{ claimed: number }>((resolve) => outbox.signals.once('swept', resolve));
      poller.wake();
      expect((await swept).claimed).toBe(35);
      await poller.stop();
      await outbox.drain(1_000);
      expect(await database.query(sql`SELECT id FROM outbox_event WHERE status = 'handled'`)).toHaveLength(
        35,
      );
    });

    it('wakes by itself when the next event falls due', async () => {
      const outbox = outboxOf(database, async () => done);
      const poller = new Poller(outbox, { cron: '0 0 0 1 1 *', lookAheadMs: 15_000 });
      const id = await recordNote(database, { n: next() }, { runInMs: 300 });
      poller.wake();
      await expect.poll(async () => (await rowOf(database, id)).status, { timeout: 5_000 }).toBe('handled');
      await poller.stop();
    });

    it('sweeps at each tick of cron, without any wake', async () => {
      const outbox = outboxOf(database, async () => done);
      const poller = new Poller(outbox, { cron: '* * * * * *', lookAheadMs: 0 });
      poller.start();
      await new Promise((resolve) => outbox.signals.once('swept', resolve));
      const id = await recordNote(database, { n: next() });
      await expect.poll(async () => (await rowOf(database, id)).status, { timeout: 5_000 }).toBe('handled');
      await poller.stop();
    });

    it('a slow target does not hold up the others', async () => {
      let finish: () => void = () => {};
      const slow = new Promise<void>((resolve) => (finish = resolve));
      const fast = { ...note, type: 'FAST', target: 'fast' };
      const both = new Outbox(
        database,
        [
          handlerOf(() => slow.then(() => done)) as never,
          { ...handlerOf(async () => done), definition: fast } as never,
        ],
        { leaseMs: 10_000, failuresMax: 3, retryDelayMs: 1_000, batchSize: 10, concurrencyPerTarget: 2 },
      );
      for (let i = 0; i < 6; i++) await recordNote(database, { n: next() });
      for (let i = 0; i < 4; i++) await database.transaction((tx) => record(tx, fast, { n: next() }));
      const poller = new Poller(both, { cron: '0 0 0 1 1 *', lookAheadMs: 0 });
      poller.wake();
      await expect
        .poll(
          async () =>
            (
              await database.query(
                sql`SELECT id FROM outbox_event WHERE type = 'FAST' AND status = 'handled'`,
              )
            ).length,
          { timeout: 5_000 },
        )
        .toBe(4);
      const leased = await database.query(
        sql`SELECT id FROM outbox_event WHERE type = 'NOTE' AND lease_until IS NOT NULL`,
      );
      expect(leased.length).toBe(6); // two run, and four are claimed ahead
      finish();
      await poller.stop();
      await both.drain(2_000);
    });

    it('a drain hands back events that it cannot finish: due at once, nothing counted', async () => {
      const id = await recordNote(database, { n: next() });
      const outbox = outboxOf(
        database,
        (_event, context) =>
          new Promise((_, reject) =>
            context.signal.addEventListener('abort', () => reject(context.signal.reason)),
          ),
      );
      await outbox.claimAndStart();
      await outbox.drain(50);
      expect(await rowOf(database, id)).toMatchObject({ status: 'pending', failures: 0, lease_until: null });
      await runDue(outboxOf(other, async () => done));
      expect((await rowOf(database, id)).status).toBe('handled');
    });
  });

  it('pruning takes old handled events with their attempts, and nothing else', async () => {
    const old = await recordNote(database, { n: next() });
    const errored = await recordNote(database, { n: next() });
    await runDue(
      outboxOf(database, async (event) =>
        event.id === old
          ? done
          : { kind: 'give-up', failure: { outcome: 'rejected', code: 'NO', message: '' } },
      ),
    );
    const young = await recordNote(database, { n: next() });
    await runDue(outboxOf(database, async () => done));
    await database.execute(
      sql`UPDATE outbox_event SET settled_at = '2026-01-01 00:00:00.000' WHERE id IN (${old}, ${errored})`,
    );
    expect(await prune(database, { keepMs: 86_400_000, batchSize: 10, batchesMax: 5 })).toBe(1);
    expect(
      (await database.query<{ id: unknown }>(sql`SELECT id FROM outbox_event ORDER BY id`)).map((row) =>
        String(row.id),
      ),
    ).toEqual([errored, young]);
    expect(await attemptsOf(database, old)).toHaveLength(0);
  });

  it('a claim does not wait for a long write transaction of another connection', async () => {
    if (kind === 'sqlite') return expect((await database.now()).getTime()).toBeGreaterThan(0); // one writer at a time, by nature
    const locked = await recordNote(database, { n: next() });
    const free = await recordNote(database, { n: next() });
    await other.transaction(async (tx) => {
      await tx.query(sql`SELECT id FROM outbox_event WHERE id = ${locked} FOR UPDATE`);
      await runDue(outboxOf(database, async () => done));
      expect((await rowOf(database, free)).status).toBe('handled');
    });
    expect((await rowOf(database, locked)).status).toBe('pending');
  });

  it('a transaction that deadlocks runs again as a whole', async () => {
    const tries: number[] = [];
    await database.transaction(async (tx) => {
      tries.push(1);
      await tx.execute(sql`INSERT INTO order_counter (business_day, seq) VALUES (${`d${n++}`}, 1)`);
      if (tries.length < 3) throw Object.assign(new Error('deadlock'), { errno: 1213 });
    });
    expect(tries).toHaveLength(3);
    expect(
      await database.query(sql`SELECT seq FROM order_counter WHERE business_day LIKE 'd%'`),
    ).toHaveLength(1);
    await database.execute(sql`DELETE FROM order_counter WHERE business_day LIKE 'd%'`);
  });

  it('using the database outside the open transaction of the same flow fails at once', async () => {
    await expect(database.transaction(() => database.query(sql`SELECT ${now} AS now`))).rejects.toThrow(
      /outside of the transaction/,
    );
  });
});
