import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CliHost } from '../support/cli-host.js';
import { Kit } from '../support/kit.js';
import { root } from '../support/processes.js';

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const runbooks = readdirSync(path.join(root, 'docs', 'runbooks'));

/** What is written for people on call is true: metrics exist, runbooks exist, their commands work. */
describe('rules, dashboard and runbooks', () => {
  let kit: Kit;
  let event: string;
  let complaint: string;
  let host: CliHost;

  beforeAll(async () => {
    host = await CliHost.start();
    kit = await Kit.create('mariadb');
    const menu = await kit.menu();
    const order = await kit.ordered(menu, 'rb1');
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'DISH_NOT_AVAILABLE', times: 1 });
    await kit.cancel(order.id, 'rb1');
    event = (await kit.eventOf(order.id, 'MEICAN_V2_CANCEL')).id;
    const eaten = await kit.ordered(menu, 'rb2');
    const complained = await kit.call<{ id: string }>('POST', `/v1/orders/${eaten.id}/complaints`, {
      as: 'rb2',
      body: { kind: 'missing', text: 'the rice was missing', wantedInCent: 800 },
    });
    complaint = complained.body.id;
  });
  afterAll(() => {
    host.stop();
    return kit.close();
  });

  it('every metric that a rule or a panel names is exposed', async () => {
    const exposed = new Set(
      [...(await kit.runtime.metrics.scrape()).matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]),
    );
    const named = [
      ...`${read('deploy/prometheus/rules.yml')}${read('deploy/grafana/lunchbox.json')}`.matchAll(
        /lunchbox_[a-z_]+/g,
      ),
    ].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''));
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((name) => !exposed.has(name))).toEqual([]);
  });

  it('every rule has a runbook that is there, a link into the console, and a test', () => {
    const rules = read('deploy/prometheus/rules.yml').split('- alert: ').slice(1);
    const tests = read('deploy/prometheus/rules.test.yml');
    expect(rules.length).toBeGreaterThan(7);
    for (const rule of rules) {
      const name = rule.split('\n')[0] ?? '';
      expect(runbooks, name).toContain(/runbook_url: docs\/runbooks\/(\S+)/.exec(rule)?.[1]);
      expect(rule).toMatch(/console: \/console\//);
      if (name !== 'LunchboxWatchdog') expect(tests, name).toContain(`alertname: ${name}`);
    }
  });

  const commands = runbooks.flatMap((file) =>
    [...read(`docs/runbooks/${file}`).matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block
        .trim()
        .split('\n')
        .map((line) => [file, line] as const),
    ),
  );

  it('has commands', () => {
    expect(new Set(commands.map(([file]) => file)).size).toBe(runbooks.length);
  });

  it.each([...new Map(commands.map((one) => [one[1], one])).values()])('%s: %s', async (_file, line) => {
    const [node, program, ...args] = line
      .replace('$EVENT', event)
      .replace('$COMPLAINT', complaint)
      .split(' ');
    expect([node, program]).toEqual(['node', 'dist/cli.js']);
    const said = await host.run(args, { ...kit.env, REDIS_URLS: inject('redisUrl') });
    expect([said.code, said.output]).toEqual([0, expect.any(String)]);
  });

  it('the units and the image start what is built', () => {
    for (const [file, program] of [
      ['deploy/systemd/lunchbox-api.service', 'dist/api.js'],
      ['deploy/systemd/lunchbox-scheduler@.service', 'dist/scheduler.js'],
      ['deploy/Dockerfile', 'dist/api.js'],
    ] as const)
      expect(read(file)).toContain(program);
    expect(
      Number(/TimeoutStopSec=(\d+)/.exec(read('deploy/systemd/lunchbox-api.service'))?.[1]) * 1000,
    ).toBeGreaterThan(kit.runtime.settings.SHUTDOWN_TIMEOUT_MS);
  });
});
