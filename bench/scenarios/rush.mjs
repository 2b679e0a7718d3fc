// A lunch rush as it happens: 5,000 diners order within ten minutes, 8 % think again, Meican takes 200 ms, answers 20 orders a second and lies to 2 %.
import http from 'node:http';
import { garden, openCanteen } from '../lib/canteen.mjs';
import { median, quantile, round, sleep, table } from '../lib/measure.mjs';
import { startServers } from '../lib/servers.mjs';

const DINERS = 5_000;
const CANCELS = 0.08;
const MEICAN_MS = 200;
const MEICAN_PER_S = 20;
const LIES = 0.02;
const DATE = '2031-03-03';

export async function measure({ minutes = 10, isQuick }) {
  const diners = isQuick ? 200 : Math.round((DINERS * minutes) / 10);
  const servers = await startServers(['mariadb', 'locks']);
  const canteen = await openCanteen(servers, {}, { meicanBehind: openMeican });
  const rush = {
    minutes,
    diners,
    statuses: { place: {}, cancel: {} },
    oldestS: [],
    backlog: [],
    placeMs: [],
  };
  try {
    const api = await canteen.startApi();
    const schedulers = [await canteen.startScheduler(), await canteen.startScheduler()];
    const menu = await canteen.menu(DATE, { dishes: 40, stock: 1_000 });
    const agent = new http.Agent({ keepAlive: true });
    const startedMs = performance.now();
    const windowMs = minutes * 60_000;
    let isOver = false;
    const watched = watch(canteen.database, rush, () => isOver);
    await Promise.all(
      Array.from({ length: diners }, async (_, i) => {
        // They come in a wave: few at the ends, most in the middle.
        const at = windowMs * ((Math.random() + Math.random() + Math.random()) / 3);
        await sleep(at);
        const sub = `diner${i}`;
        const token = await canteen.tokenFor(sub);
        const meals = [
          {
            dishId: menu.dishes[i % 40].id,
            sideboardId: menu.sideboards[i % 20].id,
            edibleDate: DATE,
            mealType: 'LUNCH',
          },
        ];
        const id = await place(rush, agent, api.url, token, sub, { garden, meals });
        if (!id || Math.random() >= CANCELS) return;
        await sleep(Math.random() * 20_000);
        const { status } = await post(agent, api.url, `/v1/orders/${id}/cancel`, token, `c-${sub}`, {});
        count(rush.statuses.cancel, status);
      }),
    );
    rush.orderedWithinS = round((performance.now() - startedMs) / 1000, 0);
    await drained(canteen.database);
    rush.settledAfterS = round((performance.now() - startedMs) / 1000, 0);
    isOver = true;
    await watched;
    await Promise.all([...schedulers, api].map((process) => process.stop('SIGTERM')));
    Object.assign(rush, await books(canteen));
  } finally {
    await canteen.close();
    await servers.stop();
  }
  print(rush);
  return { ...rush, placeMs: { p50: quantile(rush.placeMs, 0.5), p99: quantile(rush.placeMs, 0.99) } };
}

/** As an application on a phone does it: the same key again after a 5xx, or when told to wait. */
async function place(rush, agent, url, token, sub, body) {
  for (let tries = 0; tries < 10; tries++) {
    const startedMs = performance.now();
    const { status, text } = await post(agent, url, '/v1/orders', token, `o-${sub}`, body);
    rush.placeMs.push(performance.now() - startedMs);
    count(rush.statuses.place, status);
    if (status === 201) return JSON.parse(text).orders[0].id;
    if (status < 500 && status !== 409) return undefined;
    await sleep(1_000 + Math.random() * 4_000);
  }
  return undefined;
}

function post(agent, url, path, token, key, body) {
  return new Promise((resolve) => {
    const request = http.request(
      `${url}${path}`,
      {
        method: 'POST',
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          'idempotency-key': key,
          'content-type': 'application/json',
        },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.once('end', () => resolve({ status: response.statusCode, text }));
      },
    );
    request.once('error', () => resolve({ status: 0, text: '' }));
    request.end(JSON.stringify(body));
  });
}

const count = (statuses, status) => {
  statuses[status] = (statuses[status] ?? 0) + 1;
};
const statement = (text) => ({ kind: 'sql', strings: [text], values: [] });

/** Once a second: how many are due, and for how long the oldest has been. */
async function watch(database, rush, isOver) {
  while (!isOver()) {
    const [row] = await database.query(
      statement(
        'SELECT COUNT(*) AS n, COALESCE(MAX(TIMESTAMPDIFF(MICROSECOND, run_at, UTC_TIMESTAMP(3))), 0) / 1e6 AS oldest FROM outbox_event WHERE queue_at <= UTC_TIMESTAMP(3)',
      ),
    );
    rush.backlog.push(Number(row.n));
    rush.oldestS.push(Number(row.oldest));
    await sleep(1_000);
  }
}

async function drained(database) {
  const types =
    "('MEICAN_NEW_V2_ORDER', 'MEICAN_V2_CANCEL', 'ENERGY_CENTER_V2_CANCEL', 'ENERGY_CENTER_ROLLBACK_V2_ERROR')";
  for (;;) {
    const rows = await database.query(
      statement(
        `SELECT id FROM outbox_event WHERE status = 'pending' AND type IN ${types} AND queue_at <= UTC_TIMESTAMP(3) + INTERVAL 30 SECOND LIMIT 1`,
      ),
    );
    if (rows.length === 0) return;
    await sleep(500);
  }
}

/** What became of everybody, and whether the three books say the same. */
async function books({ database, ledger, proxy }) {
  const orders = await database.query(
    statement('SELECT status, refund, COUNT(*) AS n FROM box_order GROUP BY status, refund'),
  );
  const events = await database.query(
    statement("SELECT status, COUNT(*) AS n FROM outbox_event WHERE type <> 'WECOM_ALERT' GROUP BY status"),
  );
  const errored = await database.query(
    statement(
      "SELECT type, last_error_code AS code, COUNT(*) AS n FROM outbox_event WHERE status = 'errored' GROUP BY type, last_error_code",
    ),
  );
  const live = await database.query(
    statement("SELECT order_no, meican_order_id FROM box_order WHERE status = 'ORDERED'"),
  );
  const stock = await database.query(
    statement(
      "SELECT d.id FROM box_dish d WHERE d.stock - d.remaining <> (SELECT COUNT(*) FROM box_order o WHERE o.dish_id = d.id AND o.status IN ('PAYING', 'ORDERING', 'ORDERED'))",
    ),
  );
  await database.query(statement('ANALYZE TABLE outbox_event, event_attempt, box_order, order_step'));
  const sizes = await database.query(
    statement(
      "SELECT table_name AS name, data_length + index_length AS bytes FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN ('outbox_event', 'event_attempt', 'box_order', 'order_step')",
    ),
  );
  const placements = await database.query(
    statement(
      "SELECT TIMESTAMPDIFF(MICROSECOND, created_at, settled_at) / 1000 AS ms FROM outbox_event WHERE type = 'MEICAN_NEW_V2_ORDER' AND status = 'handled'",
    ),
  );
  const placedMs = placements.map(({ ms }) => Number(ms));
  const { meican, energy } = await ledger();
  const { trades, refunds } = energy;
  const meals = new Set(
    meican.orders.filter(({ cancelled }) => !cancelled).map(({ orderId }) => String(orderId)),
  );
  const returned = new Set(
    refunds.filter(({ status }) => status === 'SUCCESS').map(({ outTradeNo }) => outTradeNo),
  );
  const kept = new Set(
    trades
      .filter(({ status, outTradeNo }) => status === 'SUCCESS' && !returned.has(outTradeNo))
      .map(({ outTradeNo }) => outTradeNo),
  );
  const differences = {
    stock: stock.length,
    meals: difference(new Set(live.map(({ meican_order_id }) => String(meican_order_id))), meals),
    points: difference(new Set(live.map(({ order_no }) => `P${order_no}`)), kept),
  };
  return {
    orders: orders.map((row) => ({ ...row, n: Number(row.n) })),
    events: events.map((row) => ({ ...row, n: Number(row.n) })),
    errored,
    placedS: {
      p50: quantile(placedMs, 0.5) / 1000,
      p99: quantile(placedMs, 0.99) / 1000,
      max: Math.max(...placedMs) / 1000,
    },
    sizes: sizes.map(({ name, bytes }) => ({ name, bytes: Number(bytes) })),
    differences,
    meican: proxy.told(),
  };
}

function difference(ours, theirs) {
  return [...ours].filter((no) => !theirs.has(no)).length + [...theirs].filter((no) => !ours.has(no)).length;
}

/** A proxy before the sandbox's Meican: slow, of limited rate, and now and then the answer is lost or the line cut. */
async function openMeican(sandboxUrl) {
  const target = new URL(sandboxUrl);
  const agent = new http.Agent({ keepAlive: true });
  let nextMs = 0;
  let limited = 0;
  let lied = 0;
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.once('end', async () => {
      const nowMs = performance.now();
      // A bucket of a second's worth.
      nextMs = Math.max(nextMs, nowMs - 1_000);
      if (nextMs > nowMs) {
        limited += 1;
        response.writeHead(429, { 'retry-after': '1' });
        return response.end('slow down');
      }
      nextMs += 1_000 / MEICAN_PER_S;
      const lie = request.method === 'POST' && Math.random() < LIES ? Math.floor(Math.random() * 3) : -1;
      if (lie >= 0) lied += 1;
      await sleep(MEICAN_MS);
      if (lie === 0) return response.socket?.destroy(); // before anything was done
      const passed = http.request(
        {
          hostname: target.hostname,
          port: target.port,
          path: request.url,
          method: request.method,
          headers: request.headers,
          agent,
        },
        (answer) => {
          if (lie === 1) return response.socket?.destroy(); // done, and the answer lost
          if (lie === 2) {
            response.writeHead(502);
            return response.end('bad gateway'); // done, and told otherwise
          }
          response.writeHead(answer.statusCode, answer.headers);
          answer.pipe(response);
        },
      );
      passed.once('error', () => response.socket?.destroy());
      passed.end(Buffer.concat(chunks));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    told: () => ({ limited, lied }),
    close: () => server.close(),
  };
}

function print(rush) {
  const statuses = (of) =>
    Object.entries(of)
      .map(([status, n]) => `${n} × ${status}`)
      .join(', ');
  console.log(
    `\nlunch rush: ${rush.diners} diners within ${rush.minutes} minutes, ${CANCELS * 100} % cancel; Meican ${MEICAN_MS} ms, ${MEICAN_PER_S}/s, ${LIES * 100} % lies`,
  );
  console.log(
    table(
      ['what', 'figure'],
      [
        ['answers to orders', statuses(rush.statuses.place)],
        ['answers to cancels', statuses(rush.statuses.cancel)],
        [
          'order answered, p50 / p99',
          `${round(median(rush.placeMs), 0)} / ${round(quantile(rush.placeMs, 0.99), 0)} ms`,
        ],
        [
          'order to placed at Meican, p50 / p99 / longest',
          `${round(rush.placedS.p50, 1)} / ${round(rush.placedS.p99, 1)} / ${round(rush.placedS.max, 1)} s`,
        ],
        ['oldest due event, most', `${round(Math.max(...rush.oldestS), 1)} s`],
        ['due events, most', Math.max(...rush.backlog)],
        ['all settled after the last order', `${rush.settledAfterS - rush.orderedWithinS} s`],
        [
          'orders',
          rush.orders
            .map(({ status, refund, n }) => `${n} ${status}${refund === 'NONE' ? '' : `, refund ${refund}`}`)
            .join('; '),
        ],
        ['events', rush.events.map(({ status, n }) => `${n} ${status}`).join('; ')],
        ['errored', rush.errored.map(({ type, code, n }) => `${n} ${type} ${code}`).join('; ') || 'none'],
        [
          'bytes an order',
          rush.sizes.map(({ name, bytes }) => `${name} ${Math.round(bytes / rush.diners)}`).join(', '),
        ],
        ['Meican', `${rush.meican.limited} calls refused for their rate, ${rush.meican.lied} lies`],
        [
          'books: differences',
          `${rush.differences.stock} in the stock, ${rush.differences.meals} meals, ${rush.differences.points} payments`,
        ],
      ],
    ),
  );
}
