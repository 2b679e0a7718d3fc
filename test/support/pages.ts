import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';

/** Every page of the console that a person can look at, on whatever this database holds; with the name of its goal. */
export async function consolePages(
  database: Database,
): Promise<
  { name: string; kind: 'overview' | 'list' | 'event' | 'order' | 'group' | 'other'; url: string }[]
> {
  const first = async (statement: ReturnType<typeof sql>): Promise<Record<string, string>> =>
    Object.fromEntries(
      Object.entries((await database.query<Record<string, unknown>>(statement))[0] ?? {}).map(
        ([name, value]) => [name, String(value)],
      ),
    );
  const errored = await first(
    sql`SELECT id, cause, type, subject_id, subject_no, request_id FROM outbox_event WHERE status = 'errored' AND subject_id IS NOT NULL ORDER BY id DESC LIMIT 1`,
  );
  const group = await first(sql`SELECT id FROM alert ORDER BY last_at DESC LIMIT 1`);
  const list = (query: Record<string, string>) => ({
    name: `events ${JSON.stringify(query)}`,
    kind: 'list' as const,
    url: `/console/events?${new URLSearchParams(query)}`,
  });
  const cause = errored.cause ?? '';
  const type = errored.type ?? '';
  return [
    { name: 'overview', kind: 'overview', url: '/console/' },
    ...[
      {},
      ...['pending', 'running', 'retrying', 'blocked', 'errored', 'unknown', 'handled', 'discarded'].flatMap(
        (state) => [{ state }, { state, type }],
      ),
      { type },
      { target: 'meican' },
      { target: 'energy', state: 'handled' },
      { cause },
      { cause, state: 'errored' },
      { cause, type, attempts: '2' },
      { state: 'errored', worker: 'nobody' },
      { state: 'handled', settled: '5' },
      { state: 'errored', settled: '600' },
      { state: 'pending', overdue: '5' },
      { from: '2026-01-01T00:00', to: '2026-10-01T00:00' },
      { state: 'errored', dueFrom: '2026-01-01T00:00', dueTo: '2026-12-01T00:00' },
      { payload: 'nothing like it', state: 'handled' },
      { attempts: '3' },
      { worker: 'nobody', target: 'energy', state: 'errored' },
    ].map((query) => list(query as Record<string, string>)),
    { name: 'event', kind: 'event', url: `/console/events/${errored.id}` },
    { name: 'event, compared', kind: 'event', url: `/console/events/${errored.id}?compare=1` },
    { name: 'orders', kind: 'list', url: '/console/orders' },
    { name: 'orders of a user', kind: 'list', url: '/console/orders?userId=seed-1' },
    { name: 'order', kind: 'order', url: `/console/orders/${errored.subject_id}` },
    { name: 'complaints', kind: 'list', url: '/console/complaints' },
    { name: 'complaints by state', kind: 'list', url: '/console/complaints?state=REFUNDED' },
    { name: 'causes', kind: 'list', url: '/console/causes' },
    { name: 'cause', kind: 'group', url: `/console/causes/${group.id}` },
    { name: 'schedules', kind: 'other', url: '/console/schedules' },
    { name: 'controls', kind: 'other', url: '/console/controls' },
    { name: 'audit', kind: 'other', url: '/console/audit' },
    { name: 'search by request', kind: 'other', url: `/console/search?q=${errored.request_id}` },
    { name: 'search by trace', kind: 'other', url: `/console/search?q=${'a'.repeat(32)}` },
    { name: 'search in vain', kind: 'other', url: '/console/search?q=nothing' },
    { name: 'runbook', kind: 'other', url: '/console/runbooks/event-errored' },
  ];
}
