import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../src/base/problems.js';
import type { Database } from '../../src/database/database.js';
import { begin, complete, hold, keepRefusal } from '../../src/http/idempotency.js';
import { databaseKinds, openDatabase } from '../support/databases.js';

describe.each(databaseKinds)('two runs of one request at once, on %s', (kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());

  it('the one that is refused gives no answer of its own while the other holds the record: the request has one answer', async () => {
    const attempted = {
      caller: 'a',
      role: 'user' as const,
      operation: 'place',
      key: 'k',
      body: {},
      instance: '/',
      requestId: 'r',
      lockMs: 60_000,
    };
    const [one, other] = [await begin(database, attempted), await begin(database, attempted)];
    if (one.kind !== 'go' || other.kind !== 'go')
      throw new Error('both may go: neither has written anything');
    await database.transaction(async (tx) => {
      await hold(tx, one.ticket, ['1']);
      await complete(tx, one.ticket, 201, { orders: [] });
    });
    expect((await keepRefusal(database, other.ticket, new Problem('dish-sold-out'))).code).toBe(
      'idempotency-in-progress',
    );
    expect(await begin(database, attempted)).toMatchObject({
      kind: 'answer',
      answer: { status: 201, replayed: true },
    });
  });

  it('a refusal that nobody contradicts is kept', async () => {
    const attempted = {
      caller: 'a',
      role: 'user' as const,
      operation: 'place',
      key: 'k2',
      body: {},
      instance: '/',
      requestId: 'r',
      lockMs: 60_000,
    };
    const found = await begin(database, attempted);
    if (found.kind !== 'go') throw new Error('nothing was written');
    expect((await keepRefusal(database, found.ticket, new Problem('dish-sold-out'))).code).toBe(
      'dish-sold-out',
    );
    expect(await begin(database, attempted)).toMatchObject({
      kind: 'answer',
      answer: { status: 409, replayed: true },
    });
  });
});
