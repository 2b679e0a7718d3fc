import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { pause } from '../../src/operate/pause.js';
import { databaseKinds, openDatabase } from '../support/databases.js';
import { done, outboxOf, recordNote, rowOf } from '../support/engine.js';

/** Far longer than the test may take: whoever waits for the end of it fails. */
const BUDGET_MS = 600_000;

describe.each(databaseKinds)('an inline run on %s', (kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());

  it('returns at once, after a single claim, when a breaker holds its events', async () => {
    const handle = vi.fn(async () => done);
    const outbox = outboxOf(database, handle);
    const id = await recordNote(database, { n: 1, key: 'held' });
    while (!outbox.breakerOf('test').isOpen) outbox.breakerOf('test').learn(['not-reached']);
    const transactions = vi.spyOn(database, 'transaction');
    await outbox.runInline(['held'], BUDGET_MS);
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(handle).not.toHaveBeenCalled();
    expect((await rowOf(database, id)).status).toBe('pending');
    transactions.mockRestore();
  });

  it('returns at once, after a single claim, when its type is paused; types that are not paused go on', async () => {
    const handle = vi.fn(async () => done);
    const outbox = outboxOf(database, handle);
    const id = await recordNote(database, { n: 2, key: 'paused' });
    await pause(
      database,
      outbox.registry,
      { scope: 'type', name: 'NOTE', forMs: 60_000 },
      { actor: 'a', role: 'operator', reason: 'r', requestId: null },
    );
    const transactions = vi.spyOn(database, 'transaction');
    await outbox.runInline(['paused'], BUDGET_MS);
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(handle).not.toHaveBeenCalled();
    expect((await rowOf(database, id)).status).toBe('pending');
    transactions.mockRestore();
  });

  it('without a database it ends without an error and emits a signal', async () => {
    const outbox = outboxOf(database, async () => done);
    const failed = vi.fn();
    outbox.signals.on('sweep-failed', failed);
    const away = vi
      .spyOn(database, 'transaction')
      .mockRejectedValueOnce(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    await outbox.runInline(['any'], BUDGET_MS);
    expect(failed).toHaveBeenCalledOnce();
    away.mockRestore();
  });
});
