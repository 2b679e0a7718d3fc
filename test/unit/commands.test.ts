import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addBatch } from '../../src/cli/batch.js';
import { addBooks } from '../../src/cli/books.js';
import { addComplaints } from '../../src/cli/complaints.js';
import { addControls } from '../../src/cli/controls.js';
import { addEvents } from '../../src/cli/events.js';
import { addLook } from '../../src/cli/look.js';
import { addSetUp } from '../../src/cli/set-up.js';
import { addStories } from '../../src/cli/stories.js';
import { addDevCommands } from '../../src/dev/commands.js';

/** Every operation of the API that is for people on call, and its command. Operations of diners and gateways have none. */
const commandOf: Record<string, string> = {
  'GET /v1/events': 'events list',
  'GET /v1/events/{id}': 'events show',
  'GET /v1/events/{id}/why': 'why',
  'GET /v1/orders/{id}/why': 'why',
  'POST /v1/events/{id}/requeue': 'events requeue',
  'POST /v1/events/{id}/discard': 'events discard',
  'POST /v1/events/{id}/settle': 'events settle',
  'POST /v1/events/{id}/ask': 'events ask',
  'POST /v1/event-batches': 'redrive',
  'POST /v1/event-batches/{id}/execute': 'redrive',
  'POST /v1/event-batches/{id}/stop': 'batches stop',
  'GET /v1/event-batches/{id}': 'batches show',
  'GET /v1/pauses': 'pauses',
  'POST /v1/pauses': 'pause',
  'POST /v1/pauses/resume': 'resume',
  'GET /v1/causes': 'causes',
  'POST /v1/causes/{id}/know': 'causes know',
  'POST /v1/causes/{id}/unknow': 'causes unknow',
  'GET /v1/audit': 'audit',
  'GET /v1/books': 'books',
  'GET /v1/books/repairs': 'books repair',
  'POST /v1/books/repairs': 'books repair',
  'GET /v1/orders/{id}/timeline': 'orders show',
  'POST /v1/orders/{id}/reveal': 'orders reveal',
  'GET /v1/complaints': 'complaints list',
  'GET /v1/complaints/{id}': 'complaints show',
  'PUT /v1/menus/{garden}/{date}/{mealType}': 'menu import',
};
const ofOthers = [
  '/livez',
  '/readyz',
  '/v1/order-tokens',
  '/v1/orders',
  '/v1/orders/{id}',
  '/v1/orders/{id}/cancel',
  '/v1/menus/{garden}/{date}/{mealType}',
  '/v1/fulfilments',
  '/v1/orders/{id}/complaints',
  '/v1/complaints/{id}/review',
  '/v1/complaints/{id}/returned',
  '/v1/complaints/{id}/inspect',
  '/v1/complaints/{id}/approve',
  '/v1/canteen-consumptions',
  '/v1/coffee-trades/{tradeNo}/refund',
];

const program = new Command();
for (const add of [
  addSetUp,
  addEvents,
  addLook,
  addBatch,
  addControls,
  addBooks,
  addComplaints,
  addDevCommands,
  addStories,
])
  add(program);
const names = (command: Command, before = ''): string[] =>
  command.commands.flatMap((one) => [`${before}${one.name()}`, ...names(one, `${before}${one.name()} `)]);

describe('the commands', () => {
  it('there is one for each operation of the API that is for people on call', () => {
    const { paths } = JSON.parse(
      readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'),
    ) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [`${method.toUpperCase()} ${path}`, path] as const),
    );
    expect(operations.length).toBeGreaterThan(25);
    const known = names(program);
    for (const [operation, path] of operations) {
      const command = commandOf[operation];
      if (command === undefined) expect(ofOthers, `${operation} has no command`).toContain(path);
      else expect(known, operation).toContain(command);
    }
  });

  it('each says what it does', () => {
    const each = (command: Command): Command[] => command.commands.flatMap((one) => [one, ...each(one)]);
    for (const one of each(program)) expect(one.description(), one.name()).not.toBe('');
  });
});
