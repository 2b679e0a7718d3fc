import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { privateFile } from '../../base/private-files.js';

export interface Owner {
  /** The database's own name for itself. */
  readonly id: string;
  /** It has never given out an order number. */
  readonly isFresh: boolean;
}

const HEAD = /^\{"database":"([0-9a-f-]{36})"\}\n/;

/** The first line of a journal, its end included, where that names the database to which the books belong; else nothing. */
export const ownerLine = (kept: string): string => HEAD.exec(kept)?.[0] ?? '';

/**
 * Makes the journal the one that belongs to this database. Another database's is put aside under that one's name, and is found again when that
 * one is back. Returns what to say, if there is something to say.
 */
export function ownLedger(file: string, owner: Owner): string | null {
  privateFile(file);
  const kept = readFileSync(file, 'utf8');
  const named = HEAD.exec(kept)?.[1];
  if (named === owner.id) return null;
  // From before journals had names: it is this database's, unless no order of this database can be in it.
  const isOurs = named === undefined && !owner.isFresh;
  const isEmpty = kept === '';
  const mine = `${file}.${owner.id}`;
  const aside = `${file}.${named ?? 'unnamed'}`;
  if (!isOurs && !isEmpty) renameSync(file, aside);
  if (!isOurs && existsSync(mine)) renameSync(mine, file);
  else if (isOurs || isEmpty || !existsSync(file)) begin(file, owner, isOurs ? kept : '');
  return isOurs || isEmpty
    ? null
    : `the sandbox's books in ${file} belong to another database: put aside as ${aside}`;
}

function begin(file: string, owner: Owner, kept: string): void {
  privateFile(file);
  writeFileSync(file, `${JSON.stringify({ database: owner.id })}\n${kept}`);
}
