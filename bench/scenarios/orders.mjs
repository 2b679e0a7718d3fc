// Placing and cancelling over HTTP by the built programs, beside a bare HTTP server with one transaction of the same shape, 50 connections.

import { garden, openCanteen, openLoad, openProbe } from '../lib/canteen.mjs';
import { flushes, fsyncUs, median, round, sleep, table, usageOf } from '../lib/measure.mjs';
import { startServers } from '../lib/servers.mjs';

const DATE = '2031-03-03';
const CONNECTIONS = 50;

export async function measure({ rounds, isQuick, minutes }) {
  const count = isQuick ? 500 : 2_000;
  const servers = await startServers(['mariadb', 'locks']);
  const canteen = await openCanteen(servers);
  // Answered with 202 at once: what follows is the schedulers' work.
  const api = await canteen.startApi({ INLINE_BUDGET_MS: '0' });
  const second = await canteen.startApi({ INLINE_BUDGET_MS: '0' });
  const load = await openLoad();
  const probe = await openProbe(servers);
  const menu = await canteen.menu(DATE, { dishes: 100, stock: 1_000_000 });
  let users = 0;
  const place = async (dishOf) =>
    Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const userId = `u${users++}`;
        const [dish, sideboard] = [dishOf(i), i % 20];
        const meals = [
          {
            dishId: menu.dishes[dish].id,
            sideboardId: menu.sideboards[sideboard].id,
            edibleDate: DATE,
            mealType: 'LUNCH',
          },
        ];
        return {
          path: '/v1/orders',
          token: await canteen.tokenFor(userId),
          userId,
          key: `k-${userId}`,
          body: { garden, meals, dish, sideboard, userId: undefined },
        };
      }),
    );
  const asProbe = (requests) =>
    requests.map((request) => ({ ...request, body: { ...request.body, userId: request.userId } }));
  const asOurs = (requests) =>
    requests.map(({ body: { meals }, ...request }) => ({ ...request, body: { garden, meals } }));
  const spread = (i) => i % 100;
  const hot = () => 0;
  const results = {
    probe: [],
    'probe, hot': [],
    'place, spread': [],
    'place, one dish': [],
    'cancel, 202': [],
    'place, spread, two APIs': [],
    'place, spread, with a scheduler': [],
  };
  const rss = { api: [], scheduler: [] };
  const fsync = [];
  const pids = {
    api: api.pid,
    'second api': second.pid,
    mariadb: servers.pids.mariadb,
    redis: servers.pids.locks,
    sandbox: canteen.sandbox.pid,
    load: load.pid,
    probe: probe.pid,
  };
  const cpu = () =>
    Object.fromEntries(Object.entries(pids).map(([process, pid]) => [process, usageOf(pid).cpuS]));
  const shoot = async (name, urls, requests) => {
    const before = cpu();
    const { bodies, ...result } = await load.send({ urls, connections: CONNECTIONS, requests });
    const after = cpu();
    // Milliseconds of CPU for a request, by who used them.
    const cpuMs = Object.fromEntries(
      Object.keys(pids).map((process) => [
        process,
        ((after[process] - before[process]) * 1000) / requests.length,
      ]),
    );
    results[name].push({ ...result, cpuMs });
    console.error(
      `${name}: ${result.perS}/s, p50 ${round(result.p50, 1)} ms, p99 ${round(result.p99, 1)} ms, ${JSON.stringify(result.statuses)}`,
    );
    return bodies;
  };
  let oversold;
  try {
    await load.send({ urls: [probe.url], connections: CONNECTIONS, requests: asProbe(await place(spread)) }); // warm-up
    for (const { url } of [api, second])
      await load.send({ urls: [url], connections: CONNECTIONS, requests: asOurs(await place(spread)) });
    for (let n = 0; n < rounds; n++) {
      fsync.push(fsyncUs(servers.directory));
      await shoot('probe', [probe.url], asProbe(await place(spread)));
      const requests = asOurs(await place(spread));
      const answers = await shoot('place, spread', [api.url], requests);
      await shoot('probe, hot', [probe.url], asProbe(await place(hot)));
      await shoot('place, one dish', [api.url], asOurs(await place(hot)));
      const byUser = new Map(requests.map((request) => [request.userId, request]));
      const placed = answers.map((text) => JSON.parse(text).orders?.[0]).filter(Boolean);
      await shoot(
        'cancel, 202',
        [api.url],
        placed.map((order) => ({
          path: `/v1/orders/${order.id}/cancel`,
          token: byUser.get(order.userId).token,
          key: `c-${order.id}`,
          body: {},
        })),
      );
      await shoot('place, spread, two APIs', [api.url, second.url], asOurs(await place(spread)));
      rss.api.push(Math.round(api.usage().rssMib));
    }
    oversold = await soldOut(canteen, api, load);
    const scheduler = await canteen.startScheduler({ SCHEDULER_CONCURRENCY: '20' });
    await drained(canteen);
    const endsAtMs = performance.now() + (minutes ?? 0) * 60_000;
    for (let n = 0; n < rounds || performance.now() < endsAtMs; n++) {
      await shoot('place, spread, with a scheduler', [api.url], asOurs(await place(spread)));
      rss.api.push(Math.round(api.usage().rssMib));
      rss.scheduler.push(Math.round(scheduler.usage().rssMib));
    }
    await drained(canteen);
    rss.scheduler.push(Math.round(scheduler.usage().rssMib));
    await scheduler.stop();
  } finally {
    load.close();
    probe.close();
    await api.stop();
    await second.stop();
    await canteen.close();
    await servers.stop();
  }
  print({ results, rounds, count, fsync, rss, oversold });
  return { rounds, count, connections: CONNECTIONS, fsyncUs: fsync, results, rssMib: rss, oversold };
}

/** Half as many boxes as diners, all on one dish: what is sold is what there was. */
async function soldOut({ database, menu, tokenFor }, api, load) {
  const date = '2031-03-04';
  const stock = 400;
  const { dishes, sideboards } = await menu(date, { dishes: 1, stock });
  const meals = [
    { dishId: dishes[0].id, sideboardId: sideboards[0].id, edibleDate: date, mealType: 'LUNCH' },
  ];
  const requests = await Promise.all(
    Array.from({ length: 2 * stock }, async (_, i) => ({
      path: '/v1/orders',
      token: await tokenFor(`s${i}`),
      key: `s${i}`,
      body: { garden, meals },
    })),
  );
  const { statuses } = await load.send({ urls: [api.url], connections: CONNECTIONS, requests });
  const [row] = await database.query({
    kind: 'sql',
    strings: [
      `SELECT d.remaining, (SELECT COUNT(*) FROM box_order o WHERE o.dish_id = d.id) AS sold FROM box_dish d WHERE d.id = ${dishes[0].id}`,
    ],
    values: [],
  });
  return { stock, statuses, remaining: Number(row.remaining), sold: Number(row.sold) };
}

async function drained({ database }) {
  for (;;) {
    const rows = await database.query({
      kind: 'sql',
      strings: [
        "SELECT id FROM outbox_event WHERE status = 'pending' AND queue_at <= UTC_TIMESTAMP(3) LIMIT 1",
      ],
      values: [],
    });
    if (rows.length === 0) return;
    await sleep(500);
  }
}

function print({ results, rounds, count, fsync, rss, oversold }) {
  console.log(
    `\norders, ${count} requests a run, ${CONNECTIONS} connections, ${rounds} interleaved rounds, ${flushes(fsync)}`,
  );
  const rows = Object.entries(results).map(([name, all]) => {
    const base = results[name === 'place, one dish' ? 'probe, hot' : 'probe'];
    const of = (key) => all.map((one) => one[key]);
    const ratio = (key) => median(of(key).map((value, i) => value / base[i % base.length][key]));
    const ok = all.reduce((sum, { statuses }) => sum + (statuses[201] ?? 0) + (statuses[202] ?? 0), 0);
    const others =
      all.reduce((sum, { statuses }) => sum + Object.values(statuses).reduce((a, b) => a + b, 0), 0) - ok;
    return [
      name,
      median(of('perS')),
      `${Math.min(...of('perS'))}–${Math.max(...of('perS'))}`,
      ratio('perS').toFixed(2),
      round(median(of('p50')), 1),
      round(median(of('p99')), 1),
      ratio('p99').toFixed(2),
      ok,
      others,
    ];
  });
  console.log(
    table(
      ['what', 'requests/s', 'range', '× probe', 'p50 ms', 'p99 ms', '× its p99', '201 or 202', 'others'],
      rows,
    ),
  );
  const users = ['api', 'second api', 'mariadb', 'redis', 'sandbox', 'load', 'probe'];
  const cpuRows = Object.entries(results).map(([name, all]) => [
    name,
    ...users.map((user) => round(median(all.map(({ cpuMs }) => cpuMs[user])))),
  ]);
  console.log(`\nCPU ms a request\n${table(['what', ...users], cpuRows)}`);
  console.log(
    `one dish with ${oversold.stock} boxes, ${2 * oversold.stock} diners: ${oversold.sold} sold, ${oversold.remaining} left, answers ${JSON.stringify(oversold.statuses)}`,
  );
  console.log(`RSS MiB: api ${rss.api.join(' ')}; scheduler ${rss.scheduler.join(' ')}`);
}
