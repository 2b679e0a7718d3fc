import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** Which rooms of the house each room may look into. What is not listed here may import nothing but itself and the ground floor. */
const ground = ['clock', 'trace', 'text', 'crash-point', 'version', 'redact', 'hide', 'private-files'];
const allowed: Record<string, readonly string[]> = {
  entities: [],
  database: ['entities'],
  outbox: ['entities', 'database'],
  books: ['entities', 'database', 'clients', 'stock'],
  stock: ['entities', 'database'],
  clients: ['entities'],
  alerts: ['outbox', 'database'],
  handlers: ['outbox', 'books', 'stock', 'entities', 'database', 'clients', 'alerts'],
  // clients: the pay guard of placing only (checked below)
  orders: ['handlers', 'outbox', 'books', 'stock', 'entities', 'database', 'clients', 'problems'],
  http: ['orders', 'outbox', 'entities', 'database', 'problems'],
  routes: ['orders', 'outbox', 'alerts', 'http', 'books', 'clients', 'entities', 'database', 'metrics', 'problems'],
  console: ['orders', 'outbox', 'alerts', 'http', 'entities', 'database', 'problems'],
  sandbox: ['clients'],
};

const files = (readdirSync(src, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts'));
const importsOf = (file: string): string[] =>
  [...readFileSync(path.join(src, file), 'utf8').matchAll(/from '(\.[^']*)'/g)].map((match) =>
    path.relative(src, path.resolve(src, path.dirname(file), match[1] ?? '')),
  );
const roomOf = (file: string): string => file.split(path.sep)[0]?.replace(/\.(ts|js)$/, '') ?? '';

describe('the architecture', () => {
  it('was read at all', () => {
    expect(files.length).toBeGreaterThan(60);
    expect(importsOf('outbox/settle.ts').length).toBeGreaterThan(3);
  });

  it('imports run one way', () => {
    const wrong = files
      .filter((file) => file.includes(path.sep) && !file.startsWith('cli/')) // an entry, like the files of the ground floor
      .flatMap((file) => importsOf(file).map((target) => [file, target] as const))
      .filter(([file, target]) => roomOf(file) !== roomOf(target) && ![...ground, ...(allowed[roomOf(file)] ?? [])].includes(roomOf(target)))
      .map(([file, target]) => `${file} → ${target}`);
    expect(wrong).toEqual([]);
  });

  it('orders call no vendor but to pay', () => {
    const callers = files.filter((file) => file.startsWith('orders') && importsOf(file).some((target) => target.startsWith('clients')));
    expect(callers).toEqual(['orders/place.ts']);
  });

  it('the engine knows nothing of meals', () => {
    const words = files
      .filter((file) => file.startsWith('outbox'))
      .filter((file) => /\b(meal|dish|meican|energy|refund|canteen|coffee|sideboard)\b/i.test(readFileSync(path.join(src, file), 'utf8')));
    expect(words).toEqual([]);
  });

  it('has no room for leftovers', () => {
    expect(files.filter((file) => /(^|\/)(utils?|common|helpers?|misc)(\/|\.)/.test(file))).toEqual([]);
  });
});
