import { Database } from '../../database/database.js';
import { pendingMigrations } from '../../database/migrate.js';
import { readSession, readVersion } from '../../database/server.js';
import { Alert } from '../../entities/alert.js';
import type { Settings } from '../settings.js';
import { type Check, failed, well } from './check.js';

const CLOCK_SKEW_MAX_MS = 2_000;

export async function checkDatabase(settings: Settings): Promise<Check[]> {
  let database: Database;
  try {
    database = await Database.open({ url: settings.DATABASE_URL, poolSize: 2, statementTimeoutMs: 5_000 });
  } catch (error) {
    const detail = (error as NodeJS.ErrnoException).code ?? 'cannot connect';
    const whatToDo = 'check DATABASE_URL: host, port, user, password, and that the database exists';
    return [failed('database', detail, whatToDo)];
  }
  try {
    return await checkOpen(database);
  } finally {
    await database.close();
  }
}

async function checkOpen(database: Database): Promise<Check[]> {
  const isMysql = database.dialect.name === 'mysql';
  const version = await readVersion(database);
  const clock = await checkClock(database);
  const pending = await pendingMigrations(database);
  return [
    well('database', `${isMysql ? 'MySQL/MariaDB' : 'SQLite'} ${version}`),
    clock,
    checkSchema(pending),
    ...(pending.length === 0 ? [await checkBreakers(database)] : []),
    ...(isMysql ? [await checkSession(database)] : []),
  ];
}

async function checkClock(database: Database): Promise<Check> {
  const apartMs = Math.abs((await database.now()).getTime() - Date.now());
  const detail = `${apartMs} ms apart from the database's`;
  return apartMs <= CLOCK_SKEW_MAX_MS
    ? well('clock', detail)
    : failed('clock', detail, 'synchronise the clocks (NTP): signatures are refused beyond 300 s');
}

function checkSchema(pending: readonly string[]): Check {
  if (pending.length === 0) return well('schema', 'up to date');
  const whatToDo = 'run `cli migrate`; the servers also do it when they start';
  return failed('schema', `to run: ${pending.join(', ')}`, whatToDo);
}

/** Breakers of the running processes: an alert is open from a breaker's opening until it has closed in every process. */
async function checkBreakers(database: Database): Promise<Check> {
  const where = { kind: 'vendor-down', status: 'open' } as const;
  const open = await database.manager.find(Alert, { where, order: { title: 'ASC' } });
  if (open.length === 0) return well('breakers', 'none is open');
  const detail = open.map(({ title, firstAt }) => `${title} open since ${firstAt.toISOString()}`).join(', ');
  const whatToDo = 'its events wait and count no failures; a canary is sent at least every minute';
  return failed('breakers', detail, whatToDo);
}

async function checkSession(database: Database): Promise<Check> {
  const session = await readSession(database);
  const detail = `${session?.isolation}, time zone ${session?.zone}`;
  return session?.isolation === 'READ-COMMITTED' && session.zone === '+00:00'
    ? well('session', detail)
    : failed('session', detail, 'a proxy resets session settings: let SET SESSION through');
}
