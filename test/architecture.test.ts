import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dist } from './support/processes.js';

const src = fileURLToPath(new URL('../src', import.meta.url));

/**
 * Which rooms of the house each room may look into, from the ground up; each may look into itself and into `base`. Three rooms lie on two floors: what an order is, and how a
 * request's answer is kept, lie under the handlers and the flows that use them; the hourly comparison, and with it the list of all event types, lie above the books that they compare.
 */
const allowed: Record<string, readonly string[]> = {
  base: [],
  entities: [],
  database: ['entities'],
  clients: ['entities'],
  outbox: ['entities', 'database'],
  operate: ['outbox', 'entities', 'database'],
  alerts: ['operate', 'outbox', 'entities', 'database'],
  'orders/statements.ts': ['entities', 'database'],
  'orders/order.ts': ['orders/statements.ts', 'entities', 'database'],
  'orders/stock.ts': ['orders/order.ts', 'orders/statements.ts', 'entities', 'database'],
  'orders/fulfilment.ts': ['orders/order.ts', 'entities', 'database'],
  'orders/complaint.ts': ['entities', 'database'],
  'http/statements.ts': ['database'],
  'http/idempotency.ts': ['http/statements.ts', 'entities', 'database'],
  handlers: [
    'orders/order.ts',
    'orders/stock.ts',
    'orders/fulfilment.ts',
    'orders/complaint.ts',
    'alerts',
    'operate',
    'outbox',
    'clients',
    'entities',
    'database',
  ],
  reconcile: [
    'handlers',
    'orders/order.ts',
    'orders/stock.ts',
    'operate',
    'outbox',
    'clients',
    'entities',
    'database',
  ],
  'handlers/books-compare.ts': ['reconcile', 'handlers', 'alerts', 'outbox', 'clients', 'database'],
  'handlers/index.ts': ['handlers/books-compare.ts', 'handlers', 'alerts', 'outbox'],
  // clients: the payment of placing only (checked below)
  orders: [
    'orders/statements.ts',
    'orders/order.ts',
    'orders/stock.ts',
    'orders/fulfilment.ts',
    'orders/complaint.ts',
    'http/idempotency.ts',
    'handlers',
    'operate',
    'outbox',
    'clients',
    'entities',
    'database',
  ],
  // THE table of acts lies above everything that a person can act on
  'operate/acts': ['orders', 'reconcile', 'alerts', 'operate', 'outbox', 'database'],
  http: [
    'http/idempotency.ts',
    'operate/acts',
    'orders',
    'reconcile',
    'alerts',
    'operate',
    'outbox',
    'clients',
    'entities',
    'database',
  ],
  console: [
    'http',
    'operate/acts',
    'orders',
    'handlers/index.ts',
    'handlers',
    'alerts',
    'operate',
    'outbox',
    'entities',
    'database',
  ],
  app: [
    'console',
    'http',
    'http/idempotency.ts',
    'orders',
    'handlers',
    'handlers/books-compare.ts',
    'handlers/index.ts',
    'alerts',
    'operate',
    'outbox',
    'clients',
    'entities',
    'database',
  ],
  cli: [
    'app',
    'http',
    'operate/acts',
    'orders',
    'handlers/index.ts',
    'reconcile',
    'alerts',
    'operate',
    'outbox',
    'database',
  ],
  dev: [
    'cli',
    'app',
    'http',
    'orders',
    'handlers',
    'handlers/index.ts',
    'outbox',
    'clients',
    'entities',
    'database',
  ],
  'api.ts': ['app'],
  'scheduler.ts': ['app'],
  'cli.ts': ['cli', 'app', 'dev'],
  'sandbox.ts': ['app', 'dev'],
  'start.ts': ['app', 'dev', 'orders'],
};

const files = (readdirSync(src, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts'));
const importsOf = (file: string): string[] =>
  [...readFileSync(path.join(src, file), 'utf8').matchAll(/(?:from |import\()'(\.[^']*)'/g)].map((match) =>
    path.join(path.dirname(file), match[1] ?? '').replace(/\.js$/, '.ts'),
  );
const roomOf = (file: string): string =>
  [file, path.dirname(file)].find((room) => Object.hasOwn(allowed, room)) ?? file.split(path.sep)[0] ?? '';
const imports = new Map(files.map((file) => [file, importsOf(file)]));

describe('the architecture', () => {
  it('was read at all', () => {
    expect(files.length).toBeGreaterThan(150);
    expect(imports.get('outbox/settle.ts')?.length).toBeGreaterThan(3);
    expect([...imports.values()].flat().filter((file) => !imports.has(file))).toEqual([]);
  });

  it('has only rooms and entries', () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(allowed).sort());
  });

  it('imports run one way', () => {
    const floors = Object.keys(allowed);
    expect(
      floors.flatMap((room, floor) =>
        (allowed[room] ?? [])
          .filter((other) => floors.indexOf(other) > floor && other !== 'dev')
          .map((other) => `${room} → ${other}`),
      ),
    ).toEqual([]);
    const wrong = [...imports].flatMap(([file, targets]) =>
      targets
        .filter(
          (target) => ![roomOf(file), 'base', ...(allowed[roomOf(file)] ?? [])].includes(roomOf(target)),
        )
        .map((target) => `${file} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no circle of imports', () => {
    expect([...imports.keys()].flatMap((file) => circleFrom(file))).toEqual([]);
  });

  it('a scheduler loads no route, no console, no sandbox', () => {
    const loaded = loadedBy('scheduler');
    expect(loaded.length).toBeGreaterThan(60);
    expect(
      loaded.filter((file) => /^(console\/|dev\/|cli\/|http\/(?!idempotency|statements))/.test(file)),
    ).toEqual([]);
  });

  it('what is for trying is in no production process', () => {
    for (const name of ['api', 'scheduler'])
      expect(loadedBy(name).filter((file) => file.startsWith('dev'))).toEqual([]);
  });

  it('orders call no vendor but to pay', () => {
    const callers = files.filter(
      (file) => file.startsWith('orders') && importsOf(file).some((target) => target.startsWith('clients')),
    );
    expect(callers).toEqual(['orders/pay.ts']);
  });

  it('the engine knows nothing of meals', () => {
    const words = files
      .filter((file) => file.startsWith('outbox'))
      .filter((file) =>
        /\b(meal|dish|meican|energy|refund|canteen|coffee|sideboard)\b/i.test(
          readFileSync(path.join(src, file), 'utf8'),
        ),
      );
    expect(words).toEqual([]);
  });

  it('SQL stands in statements.ts, so that a reader finds it together', () => {
    const own = /^database\/|(^|\/)statements\.ts$/; // the database room renders and sends it
    const elsewhere = files.filter(
      (file) => !own.test(file) && readFileSync(path.join(src, file), 'utf8').includes('sql`'),
    );
    expect(elsewhere).toEqual([]);
  });

  it('has no room for leftovers', () => {
    expect(files.filter((file) => /(^|\/)(utils?|common|helpers?|misc)(\/|\.)/.test(file))).toEqual([]);
  });
});

/** The shortest way back to a file, if there is one. Types alone make a circle, too: one cannot be read without the other. */
function circleFrom(start: string): string[] {
  const queue = [[start]];
  const seen = new Set<string>();
  for (let way = queue.shift(); way; way = queue.shift())
    for (const next of imports.get(way.at(-1) ?? '') ?? []) {
      if (next === start) return [[...way, next].join(' → ')];
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push([...way, next]);
    }
  return [];
}

/** Our modules that a built program loads before it does anything, by its imports. */
function loadedBy(name: string): string[] {
  const found = new Set<string>();
  const walk = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const match of readFileSync(file, 'utf8').matchAll(/(?:from|import) ["'](\.[^"']*)["']/g))
      walk(path.resolve(path.dirname(file), match[1] ?? ''));
  };
  walk(dist(name));
  return [...found].map((file) => path.relative(path.dirname(dist(name)), file));
}
