import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { may, roles } from '../../src/base/caller.js';
import { addBatch } from '../../src/cli/batch.js';
import { addBooks } from '../../src/cli/books.js';
import { addComplaints } from '../../src/cli/complaints.js';
import { addControls } from '../../src/cli/controls.js';
import { addEvents } from '../../src/cli/events.js';
import { addLook } from '../../src/cli/look.js';
import { accessOf, mayCall, routesAt } from '../../src/http/access.js';
import { acts } from '../../src/operate/acts/index.js';
import { Kit } from '../support/kit.js';

/** Verbs of the audit that are no row of the table, and why. */
const elsewhere: Record<string, string> = {
  cancel: 'a diner cancels by the same route; the audit has it only when an operator does',
  export: 'a way to look: the console alone writes files',
  'save-view': 'a filter of the console',
  'remove-view': 'a filter of the console',
  'doubt-all': 'only on a database that nobody uses: `after-restore`',
};

const src = fileURLToPath(new URL('../../src', import.meta.url));
const program = new Command();
for (const add of [addEvents, addLook, addBatch, addControls, addBooks, addComplaints]) add(program);
const commandAt = (name: string): Command | undefined =>
  name
    .split(' ')
    .reduce<Command | undefined>(
      (parent, word) => parent?.commands.find((command) => command.name() === word),
      program,
    );

describe('the table of acts', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await Kit.create('sqlite');
  });
  afterAll(() => kit.close());

  const routed = acts.flatMap(({ name, roles: mayAct, route }) =>
    'none' in route ? [] : [{ name, mayAct, ...route }],
  );

  it('has each act once', () => {
    expect(acts.length).toBeGreaterThan(12);
    expect(new Set(acts.map(({ name }) => name)).size).toBe(acts.length);
  });

  it('every act has a route, a form and a command, or says why not', () => {
    for (const { name, route, form, command, words } of acts) {
      expect([words.zh, words.en], name).not.toContain('');
      for (const way of [route, form, command])
        if ('none' in way) expect(way.none.length, name).toBeGreaterThan(20);
    }
    expect(acts.filter(({ route }) => 'none' in route).map(({ name }) => name)).toEqual(['run-now']);
    expect(acts.filter(({ form }) => 'none' in form).map(({ name }) => name)).toEqual(['repair']);
    expect(acts.filter(({ command }) => 'none' in command).map(({ name }) => name)).toEqual([
      'run-now',
      'complaint-review',
      'complaint-returned',
      'complaint-inspect',
      'complaint-approve',
    ]);
  });

  it('each route is served, to the roles of its row', () => {
    for (const { name, url, mayAct } of routed) {
      expect(kit.app.routeTable, name).toContainEqual({ method: 'POST', url });
      expect(accessOf('POST', url, false), name).toEqual(mayAct);
      const verb = url.startsWith('/v1/complaints/') ? 'review' : 'act';
      expect(
        roles.filter((role) => mayCall(role, mayAct)),
        name,
      ).toEqual(roles.filter((role) => may(role, verb)));
    }
  });

  it('each route that acts on events, batches, pauses, causes or books is a row', () => {
    const urls = kit.app.routeTable
      .filter(
        ({ method, url }) =>
          method === 'POST' && /^\/v1\/(events|event-b|pauses|causes|books|complaints)/.test(url),
      )
      .map(({ url }) => url);
    expect(urls.length).toBeGreaterThan(10);
    expect(urls.filter((url) => !routed.some((route) => route.url === url))).toEqual([]);
  });

  it('each form is served', () => {
    const urls = acts.flatMap(({ form }) => ('none' in form ? [] : form.urls));
    expect(urls.length).toBeGreaterThan(12);
    const posts = kit.app.routeTable.filter(({ method }) => method === 'POST');
    for (const url of urls) expect(routesAt(posts, url.replace(':id', '1')), url).not.toEqual([]);
  });

  it('each command is there, and asks for a reason where its row does', () => {
    for (const { name, command, reason } of acts) {
      if ('none' in command) continue;
      const found = commandAt(command.name);
      expect(found, name).toBeDefined();
      const option = found?.options.find(({ long }) => long === '--reason');
      const onDemand = ['redrive', 'books repair'].includes(command.name); // without --yes or --apply they only show
      if (!onDemand)
        expect(option?.mandatory, name).toBe(reason === 'none' ? undefined : reason === 'required');
    }
  });

  it('each verb of the audit is a row, or says why not', () => {
    const verbs = (readdirSync(src, { recursive: true }) as string[])
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const text = readFileSync(path.join(src, file), 'utf8');
        return [...text.matchAll(/\baudit\w*\(\s*tx,[^;]*?(?:verb: |by, )'([a-z-]+)'/g)].map(
          (match) => match[1] ?? '',
        );
      });
    expect(verbs.length).toBeGreaterThan(15);
    const known = [...acts.flatMap((act) => act.verbs), ...Object.keys(elsewhere)];
    expect([...new Set(verbs)].sort()).toEqual(known.sort());
  });
});
