// The loop of the textbooks on the same server: select ten that are unhandled, handle one after the other, mark it; no lease, no journal, no fence.
// MODE: at-once = fifty, all at once, marked before and after.
import mysql from 'mysql2/promise';
import { drive, payloadOf } from '../lib/job.mjs';

const { DATABASE_URL, CONCURRENCY, MODE } = process.env;
const pool = mysql.createPool({ uri: DATABASE_URL, connectionLimit: 20 });

await drive({
  async seed(jobs) {
    await pool.query('DROP TABLE IF EXISTS textbook');
    await pool.query(
      'CREATE TABLE textbook (id BIGINT AUTO_INCREMENT PRIMARY KEY, payload TEXT NOT NULL, status TINYINT NOT NULL DEFAULT 0, handled_at DATETIME(3) NULL, KEY (status, id))',
    );
    for (let from = 0; from < jobs; from += 2000)
      await pool.query('INSERT INTO textbook (payload) VALUES ?', [
        Array.from({ length: Math.min(2000, jobs - from) }, (_, i) => [JSON.stringify(payloadOf(from + i))]),
      ]);
  },
  async start(handle, over) {
    let isStopped = false;
    const done = async ({ id }) => {
      await pool.query('UPDATE textbook SET status = 2, handled_at = NOW(3) WHERE id = ?', [id]);
      over();
    };
    const oneByOne = async (rows) => {
      for (const row of rows) {
        await handle(JSON.parse(row.payload));
        await done(row);
      }
    };
    const atOnce = (rows) =>
      Promise.all(
        rows.map(async (row) => {
          await pool.query('UPDATE textbook SET status = 1 WHERE id = ? AND status = 0', [row.id]);
          await handle(JSON.parse(row.payload));
          await done(row);
        }),
      );
    const [limit, run] = MODE === 'at-once' ? [Number(CONCURRENCY), atOnce] : [10, oneByOne];
    void (async () => {
      while (!isStopped) {
        const [rows] = await pool.query(
          'SELECT id, payload FROM textbook WHERE status = 0 ORDER BY id LIMIT ?',
          [limit],
        );
        if (rows.length === 0) return;
        await run(rows);
      }
    })();
    return () => {
      isStopped = true;
    };
  },
});
