import { BetterSqlite3QueryRunner } from 'typeorm/driver/better-sqlite3/BetterSqlite3QueryRunner.js';
import { MysqlQueryRunner } from 'typeorm/driver/mysql/MysqlQueryRunner.js';
import { RdbmsSchemaBuilder } from 'typeorm/schema-builder/RdbmsSchemaBuilder.js';
import { describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { instant, isAfter, isBefore, isNotAfter } from '../../src/database/instants.js';
import { forUpdate } from '../../src/database/locks.js';
import { sql } from '../../src/database/sql.js';
import { BoxSideboard } from '../../src/entities/box-sideboard.js';
import { Menu } from '../../src/entities/menu.js';
import { databaseKinds, migratedDatabase, openDatabase } from '../support/databases.js';

const cabinet = { menuId: '1', location: 'L1', addressId: 'A1', capacity: 5, remaining: 5, withdrawn: 0 };

describe.each(databaseKinds)("TypeORM's internals (%s)", (kind) => {
  it('has the members that internals.ts touches', async () => {
    const database = await openDatabase(kind);
    const runner = database.source.createQueryRunner();
    await runner.connect();
    const members = runner as unknown as Record<string, unknown>;
    expect(members).toMatchObject({ isTransactionActive: false, transactionDepth: 0 });
    if (kind === 'sqlite') {
      expect(runner).toBeInstanceOf(BetterSqlite3QueryRunner);
      expect(members.stmtCache).toBeInstanceOf(Map);
      const other = database.source.createQueryRunner() as unknown as Record<string, unknown>;
      expect(members.stmtCache).toBe(other.stmtCache);
    } else {
      expect(runner).toBeInstanceOf(MysqlQueryRunner);
      expect(members.databaseConnection).toHaveProperty('destroy');
    }
    expect(RdbmsSchemaBuilder.prototype).toHaveProperty('createMetadataTableIfNecessary');
    await runner.release();
    await database.close();
  });

  it("a transaction's EntityManager and its SQL are one unit", async () => {
    const database = await openDatabase(kind);
    await expect(
      database.transaction(async (tx) => {
        await tx.manager.insert(BoxSideboard, { ...cabinet });
        await tx.execute(sql`UPDATE box_sideboard SET remaining = 4 WHERE location = 'L1'`);
        const locked = { where: { location: 'L1' }, ...forUpdate(tx) };
        expect(await tx.manager.findOne(BoxSideboard, locked)).toMatchObject({ remaining: 4 });
        throw new Error('undo');
      }),
    ).rejects.toThrow('undo');
    expect(await database.manager.count(BoxSideboard)).toBe(0);
    await database.close();
  });

  it('a transaction of TypeORM inside of ours is a savepoint: its end does not end ours', async () => {
    const database = await openDatabase(kind);
    await database.transaction(async (tx) => {
      await tx.manager.insert(BoxSideboard, { ...cabinet });
      const inner = tx.manager.transaction(async (manager) => {
        await manager.insert(BoxSideboard, { ...cabinet, location: 'L2' });
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
      await tx.manager.save(BoxSideboard, { ...cabinet, location: 'L3' });
    });
    const kept = await database.manager.find(BoxSideboard, { order: { id: 'ASC' } });
    expect(kept.map(({ location }) => location)).toEqual(['L1', 'L3']);
    await database.close();
  });

  it("a value and a condition of the database's clock", async () => {
    const database = await openDatabase(kind);
    const now = await database.now();
    const key = { garden: 'G', edibleDate: '2026-11-23', mealType: 'LUNCH', corp: 'C' } as const;
    await database.manager
      .createQueryBuilder()
      .insert()
      .into(Menu)
      .values({
        ...key,
        cutoffAt: instant(database, 60_000),
        createdAt: instant(database),
        updatedAt: instant(database, -1),
      })
      .updateEntity(false)
      .execute();
    const [menu] = await database.manager.find(Menu);
    const apartMs = (menu?.cutoffAt.getTime() ?? 0) - now.getTime();
    expect(apartMs).toBeGreaterThanOrEqual(60_000);
    expect(apartMs).toBeLessThan(90_000);
    expect(await database.manager.countBy(Menu, { cutoffAt: isAfter(database, 30_000) })).toBe(1);
    expect(await database.manager.countBy(Menu, { cutoffAt: isAfter(database, 90_000) })).toBe(0);
    expect(await database.manager.countBy(Menu, { createdAt: isNotAfter(database) })).toBe(1);
    expect(await database.manager.countBy(Menu, { cutoffAt: isBefore(database, 59_000) })).toBe(0);
    await database.close();
  });
});

it('a statement through the EntityManager is given up after the same time as any other', async () => {
  const url = await migratedDatabase('mariadb');
  const database = await Database.open({ url, statementTimeoutMs: 300 });
  await expect(database.manager.query('SELECT SLEEP(5)')).rejects.toMatchObject({ code: 'DATABASE_TIMEOUT' });
  expect(await database.manager.count(Menu)).toBe(0);
  await database.close();
});
