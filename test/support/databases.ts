import { randomBytes } from 'node:crypto';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { inject } from 'vitest';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';

export const databaseKinds = ['sqlite', 'mariadb'] as const;
/** The same, and a MariaDB whose server lives at +08:00. */
export const allDatabaseKinds = [...databaseKinds, 'mariadb at +08:00'] as const;
export type DatabaseKind = (typeof allDatabaseKinds)[number];

/** The URL of an empty database of its own. */
export async function emptyDatabase(kind: DatabaseKind): Promise<string> {
  const name = `lunchbox_${randomBytes(6).toString('hex')}`;
  if (kind === 'sqlite') return `sqlite:${path.join(inject('directory'), `${name}.db`)}`;
  const server = inject(kind === 'mariadb' ? 'mariadbUrl' : 'mariadbPlus8Url');
  const connection = await mysql.createConnection(server);
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  await connection.end();
  return `${server.replace(/\/$/, '')}/${name}`;
}

export async function openDatabase(kind: DatabaseKind): Promise<Database> {
  const database = await Database.open({ url: await emptyDatabase(kind), poolSize: 10 });
  await migrate(database);
  return database;
}
