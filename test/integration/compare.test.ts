import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { childTraceparent } from '../../src/base/trace.js';
import { sql } from '../../src/database/sql.js';
import { booksCompare, createBooksCompare } from '../../src/handlers/books-compare.js';
import { Outbox } from '../../src/outbox/outbox.js';
import { record } from '../../src/outbox/record.js';
import { QUESTIONS_AT_ONCE } from '../../src/reconcile/money.js';
import { compareWithVendors } from '../../src/reconcile/vendor-books.js';
import { runDue } from '../support/engine.js';
import { Kit, tomorrow } from '../support/kit.js';

const ORDERS = 12;

describe('the comparison with the vendors', () => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create('sqlite');
    menu = await kit.menu({ stock: 100, capacity: 100 });
    for (let n = 0; n < ORDERS; n++) await kit.order(menu, `u${n}`);
    await kit.runDue();
  });
  afterAll(() => kit.close());
  beforeEach(() => kit.sandbox.faults.clear());

  const context = () => ({ requestId: randomUUID(), traceparent: childTraceparent(null) });
  /** The energy center's client, counting its questions and how many are under way at once. */
  function counting(onQuestion: (n: number) => void = () => {}) {
    const seen = { questions: 0, now: 0, most: 0 };
    const { energy } = kit.runtime.clients;
    const counted = new Proxy(energy, {
      get(target, key) {
        if (key !== 'queryPay') return Reflect.get(target, key, target);
        return async (...args: Parameters<typeof energy.queryPay>) => {
          seen.now += 1;
          seen.most = Math.max(seen.most, seen.now);
          onQuestion(++seen.questions);
          try {
            return await target.queryPay(...args);
          } finally {
            seen.now -= 1;
          }
        };
      },
    });
    return { seen, energy: counted };
  }
  const compare = (
    energy: ReturnType<typeof counting>['energy'],
    more: { budgetMs?: number; after?: string } = {},
  ) =>
    compareWithVendors(
      kit.database,
      kit.runtime.clients.meican,
      energy,
      { day: tomorrow, olderThanMs: 0, budgetMs: 60_000, ...more },
      context(),
    );

  it('asks a few questions at once', async () => {
    const { seen, energy } = counting();
    expect(await compare(energy)).toMatchObject({
      compared: ORDERS,
      notReached: 0,
      next: null,
      unanswered: 0,
      guilty: [],
    });
    expect(seen).toMatchObject({ questions: ORDERS, most: QUESTIONS_AT_ONCE });
  });

  it('says what it did not get to, and goes on with exactly the rest', async () => {
    const { energy } = counting();
    const none = await compare(energy, { budgetMs: 0 });
    expect(none).toMatchObject({ compared: 0, notReached: ORDERS, next: '0', guilty: [] });
    const [middle] = await kit.database.query<{ id: unknown }>(
      sql`SELECT id FROM box_order ORDER BY id LIMIT 1 OFFSET 7`,
    );
    const rest = counting();
    expect(await compare(rest.energy, { after: String(middle?.id) })).toMatchObject({
      notReached: 0,
      next: null,
    });
    expect(rest.seen.questions).toBe(ORDERS - 8);
  });

  it('a vendor that answers nothing is no drift, and is not asked about every order', async () => {
    kit.fault({ call: 'energy.queryPay', kind: 'status-before', status: 500 });
    const { energy } = counting();
    expect(await compare(energy)).toMatchObject({ unanswered: ORDERS, guilty: [] });
  });

  it('whoever asks for the same day meanwhile gets the same comparison', async () => {
    kit.fault({ call: 'energy.queryPay', kind: 'latency', ms: 50 });
    const before = kit.sandbox.ledger.books.trades.length;
    const ask = () =>
      kit.call<{ vendors: { compared: number } }>('GET', `/v1/books?day=${tomorrow}&againstVendors=true`);
    const { energy } = kit.runtime.clients;
    const original = energy.queryPay.bind(energy);
    let questions = 0;
    energy.queryPay = (...args) => {
      questions += 1;
      return original(...args);
    };
    const answers = await Promise.all([ask(), ask(), ask()]);
    energy.queryPay = original;
    expect(answers.map(({ body }) => body.vendors.compared)).toEqual([ORDERS, ORDERS, ORDERS]);
    expect(questions).toBe(ORDERS);
    expect(kit.sandbox.ledger.books.trades.length).toBe(before);
  });

  describe('by the hour', () => {
    const notReached = () =>
      kit.database.query<{ cause: string }>(
        sql`SELECT cause FROM alert WHERE group_key = 'books:not-reached'`,
      );
    async function compared(slot: string, budgetMs: number) {
      const { meican } = kit.runtime.clients;
      const { seen, energy } = counting();
      const handler = createBooksCompare({ database: kit.database, meican, energy, settleMs: 0, budgetMs });
      const options = {
        leaseMs: 10_000,
        failuresMax: 3,
        retryDelayMs: 1_000,
        batchSize: 10,
        concurrencyPerTarget: 1,
      };
      const outbox = new Outbox(kit.database, [handler as never], options, {});
      await kit.database.transaction((tx) => record(tx, booksCompare, { day: tomorrow, slot }));
      await runDue(outbox);
      const parts = await kit.database.query<{ status: string }>(
        sql`SELECT status FROM outbox_event WHERE dedupe_key LIKE ${`BOOKS_COMPARE:${tomorrow}:${slot}%`} ORDER BY id`,
      );
      return { seen, parts: parts.map(({ status }) => status) };
    }

    it('goes on in parts, each behind the last order of the one before, until all were asked about once', async () => {
      kit.fault({ call: 'energy.queryPay', kind: 'latency', ms: 100 });
      const { seen, parts } = await compared('2026-11-23T10', 50); // each part asks at least once for each question that may be under way
      expect(seen.questions).toBe(ORDERS);
      expect(parts.length).toBeGreaterThan(1);
      expect(new Set(parts)).toEqual(new Set(['handled']));
      expect(await notReached()).toEqual([]);
    });

    it('calls on-call when it does not keep up', async () => {
      expect((await compared('2026-11-23T11', 0)).parts).toEqual(['handled']); // nothing was reached: another part would not reach more
      expect(await notReached()).toMatchObject([{ cause: expect.stringContaining(`${ORDERS} orders`) }]);
    });
  });
});
