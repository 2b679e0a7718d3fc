import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import type { HandlerOutcome } from '../../src/outbox/types.js';
import { databaseKinds, openDatabase } from '../support/databases.js';
import { attemptsOf, outboxOf, recordNote, rowOf } from '../support/engine.js';
import { noteStatements } from '../support/statements.js';

const EVENTS = 24;

describe.each(databaseKinds)('attempts that end at the same time, on %s', (kind) => {
  let database: Database;
  let texts: string[];
  beforeEach(async () => {
    database = await openDatabase(kind);
    await database.execute(sql`CREATE TABLE effect (n INT NOT NULL)`);
    texts = [];
    noteStatements(database, (text) => texts.push(text));
  });
  afterEach(() => database.close());

  const settlings = (): number =>
    texts.filter((text) => /UPDATE outbox_event .*SET status = /.test(text)).length;
  const effects = async (): Promise<number[]> =>
    (await database.query<{ n: number }>(sql`SELECT n FROM effect ORDER BY n`)).map(({ n }) => Number(n));

  /** All are claimed, and end at the same moment; `meanwhile` happens while they run. */
  async function together(
    outcomeOf: (n: number) => HandlerOutcome,
    meanwhile: (ids: string[]) => Promise<void> = async () => {},
  ): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < EVENTS; n++)
      ids.push(await recordNote(database, { n, ...(n % 3 === 0 ? { key: `k${n}` } : {}) }));
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let waiting = 0;
    const outbox = outboxOf(
      database,
      async (event) => {
        waiting += 1;
        await gate;
        return outcomeOf(event.payload.n);
      },
      { batchSize: EVENTS, concurrencyPerTarget: EVENTS },
    );
    await outbox.claimAndStart();
    await expect.poll(() => waiting).toBe(EVENTS);
    await meanwhile(ids);
    open();
    while (outbox.runningCount > 0) await outbox.oneEnded();
    await outbox.drain(1_000);
    return ids;
  }
  const written = (n: number): HandlerOutcome => ({
    kind: 'done',
    outcome: 'applied',
    note: 'done',
    effect: async (tx) => void (await tx.execute(sql`INSERT INTO effect (n) VALUES (${n})`)),
  });

  it('share statements and a commit; each has its own journal and effects, once', async () => {
    const ids = await together(written);
    for (const id of ids) expect((await rowOf(database, id)).status).toBe('handled');
    for (const id of ids)
      expect(await attemptsOf(database, id)).toMatchObject([
        { number: 1, outcome: 'applied', error_code: null, finished_at: expect.anything() },
      ]);
    expect(await effects()).toEqual(Array.from({ length: EVENTS }, (_, n) => n));
    expect(settlings()).toBeGreaterThan(0);
    expect(settlings()).toBeLessThan(EVENTS / 2);
  });

  it('an attempt whose effects cannot be written fails alone', async () => {
    const ids = await together(
      (n) =>
        (n === 17
          ? { ...written(n), effect: async () => Promise.reject(new Error('no')) }
          : written(n)) as HandlerOutcome,
    );
    const statuses = await Promise.all(ids.map(async (id) => (await rowOf(database, id)).status));
    expect(statuses.map((status, n) => [n, status]).filter(([, status]) => status !== 'handled')).toEqual([
      [17, 'pending'],
    ]);
    expect((await attemptsOf(database, ids[17] ?? ''))[0]).toMatchObject({ error_code: 'effect-failed' });
    expect(await effects()).toEqual(Array.from({ length: EVENTS }, (_, n) => n).filter((n) => n !== 17));
  });

  it('an attempt whose lease was lost writes nothing, and the others are settled', async () => {
    const ids = await together(
      written,
      async (all) =>
        void (await database.execute(
          sql`UPDATE outbox_event SET attempt = attempt + 1 WHERE id = ${all[20] ?? ''}`,
        )),
    );
    const statuses = await Promise.all(ids.map(async (id) => (await rowOf(database, id)).status));
    expect(statuses.map((status, n) => [n, status]).filter(([, status]) => status !== 'handled')).toEqual([
      [20, 'pending'],
    ]);
    expect((await attemptsOf(database, ids[20] ?? ''))[0]).toMatchObject({ finished_at: null });
    expect(await effects()).toEqual(Array.from({ length: EVENTS }, (_, n) => n).filter((n) => n !== 20));
  });

  it('failures of the same kind share statements, too, and each counts for its own event', async () => {
    const ids = await together((n) => ({
      kind: 'retry',
      failure: { outcome: 'not-applied', code: n % 2 ? 'ODD' : 'EVEN', message: 'not today' },
    }));
    for (const [n, id] of ids.entries())
      expect(await rowOf(database, id)).toMatchObject({
        status: 'pending',
        failures: 1,
        last_error_code: n % 2 ? 'ODD' : 'EVEN',
        lease_until: null,
      });
  });
});
