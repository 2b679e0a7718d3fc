import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { out, row, say } from '../cli/print.js';
import { exit, oneOf, Stop, settingsFor, whole, withDatabase } from '../cli/shared.js';
import { migrate } from '../database/migrate.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { signToken } from '../http/auth.js';
import { createLunchboxClient } from './client/index.js';
import { type Fault, faultKinds } from './sandbox/faults.js';
import { NotEmpty, type Scale, scales, seed } from './seed.js';
import { trigger, triggerTypes } from './trigger.js';
import { faultAliases, NoStory } from './trigger-steps.js';

const TOKEN_TTL_S = 600;

/** Commands for trying and measuring; there are none of them in production. */
export function addDevCommands(program: Command): void {
  addSeed(program);
  addTrigger(program);
}

function addSeed(program: Command): void {
  program
    .command('seed')
    .description('fill an empty database with stories: 2 000 events (small), a million (big)')
    .option('--scale <scale>', Object.keys(scales).join(', '), oneOf(Object.keys(scales) as Scale[]), 'small')
    .action(async (options: { scale: Scale }) => {
      await withDatabase(async (database) => {
        await migrate(database);
        const total = scales[options.scale];
        await seed(database, total, progress).catch((error: unknown) => {
          if (error instanceof NotEmpty) throw new Stop(exit.conflict, error.message);
          throw error;
        });
        say(`${total} events, a tenth of them errored for five causes`);
      });
    });
}

interface TriggerFlags {
  fault?: string;
  times: number;
  override: string[];
  url: string;
  sandbox: string;
  token?: string;
  wait: number;
  json?: boolean;
}

function addTrigger(program: Command): void {
  program
    .command('trigger <type>')
    .description(
      `make an event happen, end to end, at a lunchbox with a sandbox (npm start): ${triggerTypes.join(', ')}`,
    )
    .option(
      '--fault <fault>',
      `what the vendor does wrong: ${Object.keys(faultAliases).join(', ')}, or a kind of docs/sandbox.md`,
    )
    .option('--times <n>', 'how often', whole, 1)
    .option(
      '--override <key=value...>',
      'of the fault: ms, status, variant, code; of the story: user, garden',
      [],
    )
    .option('--url <url>', 'of the API', 'http://127.0.0.1:3000')
    .option('--sandbox <url>', 'of the sandbox', 'http://127.0.0.1:3900')
    .option(
      '--token <token>',
      'of an operator; otherwise one is signed with AUTH_JWT_SECRET or ./data/jwt-secret',
    )
    .option('--wait <seconds>', 'for its end', whole, 120)
    .option('--json')
    .addHelpText(
      'after',
      `\nFor example, a refund that stays unknown and waits for a person:\n  trigger ${energyCancel.type} --fault timeout-after-send --times 9`,
    )
    .action(runTrigger);
}

async function runTrigger(given: string, options: TriggerFlags): Promise<void> {
  const type = oneOf(triggerTypes)(given);
  const { user, garden = 'demo', ...ofFault } = overridesOf(options.override);
  try {
    const told = await trigger(type, {
      client: createLunchboxClient({ url: options.url, token: options.token ?? (await ownToken()) }),
      sandboxUrl: options.sandbox.replace(/\/+$/, ''),
      garden,
      ...(options.fault ? { fault: faultOf(options.fault, ofFault) } : {}),
      times: options.times,
      ...(user ? { userId: user } : {}),
      waitMs: options.wait * 1_000,
    });
    if (options.json) return out(told);
    row(
      told.eventId,
      type,
      told.status,
      told.outcome ?? '-',
      `${told.attempts} attempts`,
      told.orderStatus ?? '-',
    );
    say(`${options.url}/console/events/${told.eventId}`);
  } catch (error) {
    if (error instanceof NoStory) throw new Stop(exit.failed, error.message);
    throw error;
  }
}

function overridesOf(pairs: readonly string[]): Record<string, string> {
  const overrides = Object.fromEntries(
    pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  const unknown = Object.keys(overrides).filter(
    (key) => !['user', 'garden', 'ms', 'status', 'variant', 'code'].includes(key),
  );
  if (unknown.length > 0) throw new Stop(exit.usage, `--override: there is no ${unknown.join(', ')}`);
  return overrides;
}

/** A bar for people only. */
function progress(done: number, of: number): void {
  if (!process.stderr.isTTY) return;
  const width = 40;
  const full = Math.round((done / of) * width);
  process.stderr.write(
    `\r${'█'.repeat(full)}${'░'.repeat(width - full)} ${done}/${of}${done === of ? '\n' : ''}`,
  );
}

function faultOf(name: string, overrides: Record<string, string>): Fault {
  const kind = faultKinds.find((one) => one === name);
  const fault = faultAliases[name] ?? (kind ? { kind } : undefined);
  if (!fault)
    throw new Stop(exit.usage, `--fault: one of ${[...Object.keys(faultAliases), ...faultKinds].join(', ')}`);
  const { ms, status, ...texts } = overrides;
  return {
    ...fault,
    ...texts,
    ...(ms ? { ms: Number(ms) } : {}),
    ...(status ? { status: Number(status) } : {}),
  };
}

/** As the API wants it: with AUTH_ISSUER and AUTH_AUDIENCE where they are set. */
async function ownToken(): Promise<string> {
  const {
    AUTH_JWT_SECRET,
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: audience,
  } = settingsFor('AUTH_JWT_SECRET', 'AUTH_ISSUER', 'AUTH_AUDIENCE');
  const secret =
    AUTH_JWT_SECRET ??
    (existsSync('data/jwt-secret') ? readFileSync('data/jwt-secret', 'utf8').trim() : undefined);
  if (!secret) throw new Stop(exit.notAllowed, 'give a --token, or AUTH_JWT_SECRET');
  return signToken(secret, {
    sub: 'trigger',
    role: 'operator',
    email: 'trigger@example.com',
    ttlS: TOKEN_TTL_S,
    issuer,
    audience,
  });
}
