// What the machine allows: the same web framework, and one transaction of the same shape (two inserts, two conditional updates) by the bare driver.
import Fastify from 'fastify';
import mysql from 'mysql2/promise';

const pool = mysql.createPool({ uri: process.env.DATABASE_URL, connectionLimit: 10 });
await pool.query('DROP TABLE IF EXISTS probe_order, probe_event, probe_dish, probe_sideboard');
await pool.query(
  'CREATE TABLE probe_order (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, order_no VARCHAR(32) NOT NULL UNIQUE, user_id VARCHAR(64) NOT NULL, dish_id INT NOT NULL, sideboard_id INT NOT NULL, amount INT NOT NULL, KEY (user_id))',
);
await pool.query(
  'CREATE TABLE probe_event (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, type VARCHAR(48) NOT NULL, payload TEXT NOT NULL, status TINYINT NOT NULL DEFAULT 0, due_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), KEY (status, due_at, id))',
);
for (const table of ['probe_dish', 'probe_sideboard']) {
  await pool.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, remaining INT NOT NULL)`);
  await pool.query(`INSERT INTO ${table} (id, remaining) VALUES ?`, [
    Array.from({ length: 100 }, (_, i) => [i, 1e9]),
  ]);
}
const run = `${process.pid}-${Date.now()}`;
let seq = 0;
const app = Fastify();
app.post('/v1/orders', async (request, reply) => {
  const { dish, sideboard, userId } = request.body;
  const orderNo = `${run}-${seq++}`;
  const connection = await pool.getConnection();
  try {
    await connection.query('START TRANSACTION');
    await connection.execute(
      'INSERT INTO probe_order (order_no, user_id, dish_id, sideboard_id, amount) VALUES (?, ?, ?, ?, 1880)',
      [orderNo, userId, dish, sideboard],
    );
    await connection.execute("INSERT INTO probe_event (type, payload) VALUES ('NEW_ORDER', ?)", [
      JSON.stringify({ orderNo, userId, dish, sideboard, amount: 1880 }),
    ]);
    await connection.execute(
      'UPDATE probe_sideboard SET remaining = remaining - 1 WHERE id = ? AND remaining >= 1',
      [sideboard],
    );
    await connection.execute(
      'UPDATE probe_dish SET remaining = remaining - 1 WHERE id = ? AND remaining >= 1',
      [dish],
    );
    await connection.query('COMMIT');
  } catch (error) {
    await connection.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    connection.release();
  }
  return reply.status(201).send({ orders: [{ orderNo }] });
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
process.on('disconnect', () => process.exit(0));
process.send('ready');
