import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { privateFile, privateFolder } from '../../src/base/private-files.js';
import { Database } from '../../src/database/database.js';
import { Ledger } from '../../src/dev/sandbox/ledger.js';
import { ownLedger } from '../../src/dev/sandbox/ledger-owner.js';

const folder = (): string => mkdtempSync(path.join(os.tmpdir(), 'lunchbox-private-'));
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

describe('files that only their owner may read', () => {
  it('are made so, with their folder; wider ones are narrowed, and keep what they hold', () => {
    const file = path.join(folder(), 'a', 'b', 'kept');
    privateFile(file);
    expect([modeOf(file), modeOf(path.dirname(file)), modeOf(path.dirname(path.dirname(file)))]).toEqual([
      '600',
      '700',
      '700',
    ]);
    writeFileSync(file, 'what it holds');
    chmodSync(file, 0o644);
    privateFile(file);
    expect([modeOf(file), readFileSync(file, 'utf8')]).toEqual(['600', 'what it holds']);
  });

  it('a folder of somebody else’s is left as it is, and told of', () => {
    const told = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const shared = folder();
    chmodSync(shared, 0o755);
    privateFile(path.join(shared, 'kept'));
    expect(modeOf(shared)).toBe('755');
    expect(told).toHaveBeenCalledWith(expect.stringContaining(shared));
    privateFolder(shared);
    expect(modeOf(shared)).toBe('700');
    told.mockRestore();
  });

  it('a database and its journals are, new and old', async () => {
    const file = path.join(folder(), 'data', 'x.db');
    for (let round = 0; round < 2; round++) {
      const database = await Database.open({ url: `sqlite:${file}` });
      await database.source.query(`CREATE TABLE IF NOT EXISTS t${round} (id INTEGER)`);
      expect([file, `${file}-wal`, `${file}-shm`].map((one) => [one, modeOf(one)])).toEqual(
        [file, `${file}-wal`, `${file}-shm`].map((one) => [one, '600']),
      );
      await database.close();
      chmodSync(file, 0o644);
    }
    expect(modeOf(path.dirname(file))).toBe('700');
  });
});

describe('the sandbox’s books', () => {
  const first = { id: '00000000-0000-4000-8000-000000000001', isFresh: true };
  const second = { id: '00000000-0000-4000-8000-000000000002', isFresh: true };
  const account = (userId: string) => ({ userId, accountNo: userId, cardStatus: 'NORMAL', balance: 1 });

  it('belong to a database: another one begins new ones, and the old are put aside and found again', () => {
    const file = path.join(folder(), 'data', 'sandbox.jsonl');
    expect(ownLedger(file, first)).toBeNull();
    new Ledger(file).put('accounts', account('ann'));
    expect(ownLedger(file, { ...first, isFresh: false })).toBeNull();
    expect(new Ledger(file).find('accounts', 'ann')).toBeDefined();

    expect(ownLedger(file, second)).toBe(
      `the sandbox's books in ${file} belong to another database: put aside as ${file}.${first.id}`,
    );
    expect(new Ledger(file).find('accounts', 'ann')).toBeUndefined();
    new Ledger(file).put('accounts', account('bob'));

    expect(ownLedger(file, first)).toContain(second.id);
    expect(new Ledger(file).find('accounts', 'ann')).toBeDefined();
    expect(new Ledger(file).find('accounts', 'bob')).toBeUndefined();
    expect([modeOf(file), modeOf(`${file}.${second.id}`)]).toEqual(['600', '600']);
  });

  it('stay with their database when they are written anew', () => {
    const file = path.join(folder(), 'sandbox.jsonl');
    ownLedger(file, first);
    const ledger = new Ledger(file);
    ledger.undone(() => ledger.put('accounts', account('ann')));
    expect(ownLedger(file, first)).toBeNull();
    ledger.put('accounts', account('bob'));
    ledger.reset();
    expect(ownLedger(file, first)).toBeNull();
    expect(new Ledger(file).find('accounts', 'bob')).toBeUndefined();
  });

  it('from before they had a name belong to a database that has orders, and to no fresh one', () => {
    const line = `${JSON.stringify({ list: 'accounts', row: account('ann'), sequence: 3 })}\n`;
    for (const isFresh of [true, false]) {
      const file = path.join(folder(), 'sandbox.jsonl');
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, line);
      expect(ownLedger(file, { ...first, isFresh }) === null).toBe(!isFresh);
      expect(new Ledger(file).find('accounts', 'ann') === undefined).toBe(isFresh);
      expect(existsSync(`${file}.unnamed`)).toBe(isFresh);
      expect(ownLedger(file, first)).toBeNull();
    }
  });
});
