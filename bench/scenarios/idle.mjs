// A scheduler with nothing to do: statements, CPU and memory over ten minutes.
import { openCanteen } from '../lib/canteen.mjs';
import { round, sleep, table } from '../lib/measure.mjs';
import { mariadbCounters } from '../lib/run.mjs';
import { startServers } from '../lib/servers.mjs';

export async function measure({ minutes = 10 }) {
  const servers = await startServers(['mariadb', 'locks']);
  const canteen = await openCanteen(servers);
  const counters = await mariadbCounters(servers.env.DATABASE_URL);
  try {
    const scheduler = await canteen.startScheduler();
    await sleep(20_000);
    const [before, used] = [await counters.read(), scheduler.usage()];
    await sleep(minutes * 60_000);
    const [after, now] = [await counters.read(), scheduler.usage()];
    await scheduler.stop();
    const seconds = minutes * 60;
    const statements = after.statements - before.statements - 1; // our own question
    const result = {
      minutes,
      statements,
      statementsPer15S: round((statements / seconds) * 15),
      cpuPercent: round(((now.cpuS - used.cpuS) / seconds) * 100, 3),
      rssMib: Math.round(now.rssMib),
    };
    console.log(`\nidle scheduler over ${minutes} minutes`);
    console.log(
      table(
        ['statements', 'a 15 s', 'CPU %', 'RSS MiB'],
        [[result.statements, result.statementsPer15S, result.cpuPercent, result.rssMib]],
      ),
    );
    return result;
  } finally {
    await counters.end();
    await canteen.close();
    await servers.stop();
  }
}
