// Runs a driver: seeds its store, drains it in one process or several, and tells how fast and at what price.
import { execFileSync, fork } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { monotonicMs, round, sleep, usageOf } from './measure.mjs';

const fileOf = (driver) => path.join(fileURLToPath(new URL('../drivers', import.meta.url)), `${driver}.mjs`);

/** A driver's process, and what it says. */
export function forkDriver(driver, env) {
  const child = fork(fileOf(driver), ['drain'], {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 2, 2, 'ipc'],
    execArgv: (process.env.DRIVER_ARGS ?? '').split(' ').filter(Boolean),
  });
  const worker = { child, progress: { overCount: 0, lastMs: 0 } };
  child.on('message', (message) => {
    if (message.kind === 'progress') worker.progress = message;
  });
  worker.said = (kind) =>
    new Promise((resolve, reject) => {
      const listen = (message) => {
        if (message.kind !== kind) return;
        child.off('message', listen);
        resolve(message);
      };
      child.on('message', listen);
      child.once('exit', () => reject(new Error(`${driver} ended before it said ${kind}`)));
    });
  worker.ready = worker.said('ready');
  return worker;
}

export async function stopDriver({ child }) {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.send({ kind: 'stop' });
  await gone;
}

/**
 * Drains `warmUp` jobs and then `jobs` more, in one go; what is told is of the latter: a process that runs for weeks is measured, not the compiler of its first second.
 * @param contender {{ driver: string, store: string, env?: object }} @param options {{ env: object, jobs: number, warmUp?: number, workers?: number, maxS?: number, storePid?: number, counters?: () => Promise<object> }}
 */
export async function drain(
  { driver, env: own = {} },
  { env: shared, jobs, warmUp = 0, workers = 1, maxS = 120, storePid, counters },
) {
  const total = warmUp + jobs;
  const env = { ...shared, ...own, JOBS: String(total) };
  execFileSync(process.execPath, [fileOf(driver), 'seed'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2],
  });
  const running = Array.from({ length: workers }, () => forkDriver(driver, env));
  await Promise.all(running.map((worker) => worker.ready));
  await sleep(200);
  const startedMs = monotonicMs();
  for (const { child } of running) child.send({ kind: 'go' });
  const overCount = () => running.reduce((sum, { progress }) => sum + progress.overCount, 0);
  const reached = async (count) => {
    while (overCount() < count && monotonicMs() - startedMs < maxS * 1000) await sleep(5);
  };
  await reached(warmUp);
  const warm = overCount();
  const warmMs = warmUp > 0 ? Math.max(...running.map(({ progress }) => progress.lastMs)) : startedMs;
  for (const { child } of running) child.send({ kind: 'count' });
  const storeCpuS = storePid ? usageOf(storePid).cpuS : 0;
  const before = await counters?.();
  await reached(total);
  const isCut = overCount() < total;
  const done = Math.min(overCount(), total) - warm;
  const seconds =
    (isCut ? monotonicMs() - warmMs : Math.max(...running.map(({ progress }) => progress.lastMs)) - warmMs) /
    1000;
  const storeUsedS = storePid ? usageOf(storePid).cpuS - storeCpuS : 0;
  const measured = await Promise.all(
    running.map((worker) => {
      const said = worker.said('measured');
      worker.child.send({ kind: 'measure' });
      return said;
    }),
  );
  const after = await counters?.();
  await Promise.all(running.map(stopDriver));
  const handled = measured.flatMap((one) => one.handled);
  const per1000 = (value) => round((value / done) * 1000, 3);
  return {
    jobsPerS: Math.round(done / seconds),
    seconds: round(seconds),
    isCut,
    cpuSPer1000: per1000(measured.reduce((sum, { cpuS }) => sum + cpuS, 0)),
    storeCpuSPer1000: per1000(storeUsedS),
    rssMib: Math.round(Math.max(...measured.map(({ rssMib }) => rssMib))),
    duplicates: handled.length - new Set(handled).size,
    ...(before
      ? Object.fromEntries(
          Object.keys(before).map((key) => [`${key}PerJob`, round((after[key] - before[key]) / done, 3)]),
        )
      : {}),
  };
}

/** Statements and flushes so far, as MariaDB counts them. */
export async function mariadbCounters(url) {
  const mysql = (await import('mysql2/promise')).default;
  const connection = await mysql.createConnection(url);
  return {
    async read() {
      const [rows] = await connection.query(
        "SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Innodb_os_log_fsyncs', 'Innodb_data_fsyncs', 'Innodb_rows_read')",
      );
      const of = Object.fromEntries(rows.map((row) => [row.Variable_name, Number(row.Value)]));
      return {
        statements: of.Questions,
        fsyncs: of.Innodb_os_log_fsyncs ?? of.Innodb_data_fsyncs,
        rowsRead: of.Innodb_rows_read,
      };
    },
    end: () => connection.end(),
  };
}
