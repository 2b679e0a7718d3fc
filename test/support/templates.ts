import { copyFileSync } from 'node:fs';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { sql } from '../../src/database/sql.js';

/** What makes a database on the same server like one that all migrations have run on: a tenth of a second instead of one. */
export interface MariadbTemplate {
  readonly statements: readonly string[];
}

/** The path of a SQLite file to be copied. */
export async function sqliteTemplate(directory: string): Promise<string> {
  const file = path.join(directory, 'template.db');
  const database = await Database.open({ url: `sqlite:${file}` });
  await migrate(database);
  await database.query(sql`PRAGMA wal_checkpoint(TRUNCATE)`); // all of it is in the one file now
  await database.close();
  return file;
}

export async function mariadbTemplate(server: string): Promise<MariadbTemplate> {
  const name = `lunchbox_template_${process.pid}`;
  const connection = await mysql.createConnection({ uri: server, dateStrings: true });
  await connection.query(`DROP DATABASE IF EXISTS ${name}`);
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const database = await Database.open({ url: `${server.replace(/\/$/, '')}/${name}` });
  await migrate(database);
  await database.close();
  await connection.query(`USE ${name}`);
  const [tables] = await connection.query<mysql.RowDataPacket[]>('SHOW TABLES');
  const statements: string[] = [];
  for (const row of tables) {
    const table = String(Object.values(row)[0]);
    const [[shown]] = await connection.query<mysql.RowDataPacket[]>(`SHOW CREATE TABLE \`${table}\``);
    statements.push(String(shown?.['Create Table']));
    const [rows] = await connection.query<mysql.RowDataPacket[]>(`SELECT * FROM \`${table}\``); // what the migrations themselves have written
    if (rows.length > 0)
      statements.push(
        mysql.format('INSERT INTO ?? VALUES ?', [table, rows.map((one) => Object.values(one))]),
      );
  }
  await connection.end();
  return { statements };
}

export function copySqlite(template: string, file: string): void {
  copyFileSync(template, file);
}

export async function copyMariadb({ statements }: MariadbTemplate, url: string): Promise<void> {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
  await connection.query(`SET foreign_key_checks = 0; ${statements.join('; ')}`);
  await connection.end();
}
