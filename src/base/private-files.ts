import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import path from 'node:path';

const FILE = 0o600;
const FOLDER = 0o700;
const OTHERS = 0o077;

/** A file that only its owner reads: made with its folder if it is not there, narrowed if it is. What it holds stays. */
export function privateFile(file: string): void {
  const folder = path.dirname(path.resolve(file));
  const made = mkdirSync(folder, { recursive: true, mode: FOLDER }) !== undefined;
  // Never opened when it is there: closing any descriptor of a file drops all locks that this process holds on it, SQLite's included.
  if (!existsSync(file)) closeSync(openSync(file, 'a', FILE));
  narrow(file, FILE);
  // A folder that was there may be shared with others on purpose, such as /tmp: it is not ours to close.
  if (!made && isWide(folder))
    warn(`${folder} can be entered by other users; the files of lunchbox in it cannot be read by them`);
}

/** The same for files that only may be there. */
export function narrowIfThere(file: string): void {
  if (existsSync(file)) narrow(file, FILE);
}

/** A folder that is lunchbox's own: made, or narrowed. */
export function privateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: FOLDER });
  narrow(folder, FOLDER);
}

function narrow(file: string, mode: number): void {
  if (!isWide(file)) return;
  try {
    chmodSync(file, mode);
  } catch {
    warn(`${file} can be read by other users, and belongs to one: change its mode to ${mode.toString(8)}`);
  }
}

function isWide(file: string): boolean {
  return process.platform !== 'win32' && (statSync(file).mode & OTHERS) !== 0;
}

const said = new Set<string>();

function warn(text: string): void {
  if (!said.has(text)) process.emitWarning(text);
  said.add(text);
}
