import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepHouse } from '../../src/app/scheduler-part.js';
import { join, raw, type Sql, sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

const old = '2020-01-01 00:00:00.000';
const fresh = '2099-01-01 00:00:00.000';

/** One row of each kind; `at`: long past its retention, or not. */
const rows: Record<string, (n: number, at: string) => Sql> = {
  idempotency_record: (n, at) =>
    sql`(scope_hash, caller, operation, body_hash, state, owner, locked_until, created_at) VALUES (${`h${n}`}, 'c', 'o', 'b', 'completed', 'x', ${at}, ${at})`,
  alert: (n, at) =>
    sql`(group_key, kind, status, title, cause, occurrences, unsent, round, first_at, last_at) VALUES (${`g${n}`}, 'errored', 'recovered', 't', 'c', 1, 0, 1, ${at}, ${at})`,
  alert_occurrence: (_n, at) => sql`(alert_id, at) VALUES (1, ${at})`,
  alert_message: (_n, at) =>
    sql`(robot, alert_id, kind, content, slot_at) VALUES ('on-call', 1, 'first', 'x', ${at})`,
  event_pause: (_n, at) =>
    sql`(scope, name, type, from_at, until_at, actor, reason) VALUES ('type', 'X', 'X', ${at}, ${at}, 'a', 'r')`,
  operator_action: (_n, at) =>
    sql`(at, actor, role, verb, target_type, target_id) VALUES (${at}, 'a', 'operator', 'requeue', 'event', '1')`,
  process_heartbeat: (n, at) =>
    sql`(worker, kind, version, started_at, seen_at, running, breakers) VALUES (${`w${n}`}, 'api', '1', ${at}, ${at}, 0, '[]')`,
};

describe.each(databaseKinds)('what grows on %s', (kind) => {
  let kit: Kit;
  let hours = 0;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());

  const countOf = async (table: string) =>
    Number(
      (await kit.database.query<{ n: number | string }>(sql`SELECT COUNT(*) AS n FROM ${raw(table)}`))[0]?.n,
    );
  const house = async () => {
    await kit.database.execute(
      sql`UPDATE outbox_event SET dedupe_key = ${`done:${++hours}`} WHERE dedupe_key LIKE 'HOUSEKEEPING:%' AND type = 'HOUSEKEEPING'`,
    ); // as if the next hour had come
    await keepHouse(kit.runtime, { error: () => {} });
    await kit.pass(3, ['HOUSEKEEPING']);
    return kit.database.query<{ status: string }>(
      sql`SELECT status FROM outbox_event WHERE type = 'HOUSEKEEPING' ORDER BY id DESC LIMIT 1`,
    );
  };

  it.each(Object.keys(rows))(
    '%s ends: what is past its retention goes, all of it at once, and the rest stays',
    async (table) => {
      const row = rows[table] as (typeof rows)[string];
      const many = table === 'idempotency_record' ? 1_700 : 3; // more than it ever deleted in an hour
      await kit.database.transaction(async (tx) => {
        for (let n = 0; n < many; n++) await tx.execute(sql`INSERT INTO ${raw(table)} ${row(n, old)}`);
        for (let n = many; n < many + 2; n++)
          await tx.execute(sql`INSERT INTO ${raw(table)} ${row(n, fresh)}`);
      });
      const before = await countOf(table);
      expect(await house()).toMatchObject([{ status: 'handled' }]);
      expect(before - (await countOf(table))).toBe(many);
      expect(await countOf(table)).toBeGreaterThanOrEqual(2);
    },
  );

  it('event_batch and its items end, but not while it runs; a preview that nobody executed ends sooner', async () => {
    const batch = async (status: string, at: string, endedAt: string | null, items: number) => {
      const { insertId } = await kit.database.execute(sql`
        INSERT INTO event_batch (token, verb, filter, status, total, per_second, reason, actor, role, created_at, ended_at) VALUES ('t', 'requeue', '{}', ${status}, ${items}, 1, 'r', 'a', 'operator', ${at}, ${endedAt})`);
      for (let from = 0; from < items; from += 300) {
        const some = Array.from(
          { length: Math.min(300, items - from) },
          (_, i) => sql`(${insertId}, ${from + i + 1}, '1', 1)`,
        );
        await kit.database.execute(
          sql`INSERT INTO event_batch_item (batch_id, position, event_id, attempt) VALUES ${join(some)}`,
        );
      }
      return insertId;
    };
    await batch('done', old, old, 1_100);
    await batch('previewed', old, null, 2);
    const kept = [
      await batch('running', old, null, 2),
      await batch('stopped', old, fresh, 1),
      await batch('previewed', fresh, null, 1),
    ];
    await house();
    const left = await kit.database.query<{ id: unknown }>(sql`SELECT id FROM event_batch ORDER BY id`);
    expect(left.map(({ id }) => String(id))).toEqual(kept);
    expect(await countOf('event_batch_item')).toBe(4);
  });

  it('outbox_event and event_attempt end together; an open cause and an errored event stay', async () => {
    const menu = await kit.menu();
    const order = await kit.ordered(menu, 'old1');
    await kit.database.execute(sql`UPDATE outbox_event SET settled_at = ${old} WHERE status = 'handled'`);
    await kit.database.execute(
      sql`UPDATE outbox_event SET status = 'errored' WHERE subject_id = ${order.id} AND type = 'MEICAN_NEW_V2_ORDER'`,
    );
    await kit.database.execute(
      sql`INSERT INTO alert (group_key, kind, status, title, cause, occurrences, unsent, round, first_at, last_at) VALUES ('open', 'errored', 'open', 't', 'c', 1, 0, 1, ${old}, ${old})`,
    );
    await house();
    expect(
      await kit.database.query(sql`SELECT status FROM outbox_event WHERE subject_id = ${order.id}`),
    ).toMatchObject([{ status: 'errored' }]);
    expect(
      await kit.database.query(
        sql`SELECT event_id FROM event_attempt WHERE event_id NOT IN (SELECT id FROM outbox_event)`,
      ),
    ).toEqual([]);
    expect(await kit.database.query(sql`SELECT id FROM alert WHERE group_key = 'open'`)).toHaveLength(1);
  });

  it('every table of the schema is in the operators’ list', async () => {
    const tables =
      kind === 'sqlite'
        ? await kit.database.query<{ name: string }>(
            sql`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`,
          )
        : await kit.database.query<{ name: string }>(
            sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()`,
          );
    const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const list = text.split('## What is kept how long')[1]?.split('\n## ')[0] ?? '';
    const named = [...list.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(tables.map(({ name }) => name).sort()).toEqual(named.sort());
  });
});
