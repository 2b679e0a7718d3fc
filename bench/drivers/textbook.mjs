// The loop of the textbooks on the same server: select what is unhandled, mark it, handle it, mark it again; no lease, no journal.
import mysql from 'mysql2/promise';
import { counter, measured } from './job.mjs';

const { DATABASE_URL, JOBS, CONCURRENCY } = process.env;
const jobs = Number(JOBS);
const pool = mysql.createPool({ uri: DATABASE_URL, connectionLimit: 20 });
await pool.query('DROP TABLE IF EXISTS textbook');
await pool.query(
  'CREATE TABLE textbook (id BIGINT AUTO_INCREMENT PRIMARY KEY, payload TEXT NOT NULL, status TINYINT NOT NULL DEFAULT 0, handled_at DATETIME(3) NULL, KEY (status, id))',
);
for (let from = 0; from < jobs; from += 2000)
  await pool.query('INSERT INTO textbook (payload) VALUES ?', [
    Array.from({ length: Math.min(2000, jobs - from) }, (_, i) => [JSON.stringify({ seq: from + i })]),
  ]);
const count = counter(jobs);
await measured(jobs, async () => {
  for (let left = jobs; left > 0; ) {
    const [rows] = await pool.query('SELECT id, payload FROM textbook WHERE status = 0 ORDER BY id LIMIT 10');
    for (let from = 0; from < rows.length; from += Number(CONCURRENCY))
      await Promise.all(
        rows.slice(from, from + Number(CONCURRENCY)).map(async (row) => {
          await pool.query('UPDATE textbook SET status = 1 WHERE id = ? AND status = 0', [row.id]);
          count.handle(JSON.parse(row.payload).seq);
          await pool.query('UPDATE textbook SET status = 2, handled_at = NOW(3) WHERE id = ?', [row.id]);
          count.over();
        }),
      );
    left -= rows.length;
  }
  return count.duplicates();
});
await pool.end();
