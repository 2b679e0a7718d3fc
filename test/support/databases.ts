import { randomBytes } from 'node:crypto';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { inject } from 'vitest';
import { Database } from '../../src/database/database.js';
import { copyMariadb, copySqlite } from './templates.js';

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

/** The URL of a database of its own that has all tables, and nothing in them. */
export async function migratedDatabase(kind: DatabaseKind): Promise<string> {
  const url = await emptyDatabase(kind);
  if (kind === 'sqlite') copySqlite(inject('sqliteTemplate'), url.slice('sqlite:'.length));
  else await copyMariadb(inject(kind === 'mariadb' ? 'mariadbTemplate' : 'mariadbPlus8Template'), url);
  return url;
}

export async function openDatabase(kind: DatabaseKind): Promise<Database> {
  return Database.open({ url: await migratedDatabase(kind), poolSize: 10 });
}
