import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { createLunchboxClient } from '../client/index.js';
import { toRfc3339 } from '../clock.js';
import { signToken } from '../http/auth.js';
import { attemptsSince } from '../outbox/tail.js';
import { type Fault, faultKinds } from '../sandbox/faults.js';
import { faultAliases, NoStory, type TriggerType, trigger, triggerTypes } from '../trigger.js';
import { nobodyReads, out, outLine, row, say } from './print.js';
import { exit, oneOf, Stop, settingsFor, whole, withDatabase } from './shared.js';

const LOOK_EVERY_MS = 1_000;
const TOKEN_TTL_S = 600;

/** Making stories happen, and watching them. */
export function addStories(program: Command): void {
  program
    .command('trigger <type>')
    .description(`make an event happen, end to end, at a lunchbox with a sandbox (npm start): ${triggerTypes.join(', ')}`)
    .option('--fault <fault>', `what the vendor does wrong: ${Object.keys(faultAliases).join(', ')}, or a kind of docs/sandbox.md`)
    .option('--times <n>', 'how often', whole, 1)
    .option('--override <key=value...>', 'of the fault: ms, status, variant, code; of the story: user, garden', [])
    .option('--url <url>', 'of the API', 'http://127.0.0.1:3000')
    .option('--sandbox <url>', 'of the sandbox', 'http://127.0.0.1:3900')
    .option('--token <token>', 'of an operator; otherwise one is signed with AUTH_JWT_SECRET or ./data/jwt-secret')
    .option('--wait <seconds>', 'for its end', whole, 120)
    .option('--json')
    .addHelpText(
      'after',
      '\nFor example, a refund that stays unknown and waits for a person:\n  trigger ENERGY_CENTER_V2_CANCEL --fault timeout-after-send --times 9',
    )
    .action(
      async (
        given: string,
        options: { fault?: string; times: number; override: string[]; url: string; sandbox: string; token?: string; wait: number; json?: boolean },
      ) => {
        const type: TriggerType = oneOf(triggerTypes)(given);
        const overrides = Object.fromEntries(options.override.map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]));
        const { user, garden = 'demo', ...ofFault } = overrides;
        const unknown = Object.keys(ofFault).filter((key) => !['ms', 'status', 'variant', 'code'].includes(key));
        if (unknown.length > 0) throw new Stop(exit.usage, `--override: there is no ${unknown.join(', ')}`);
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
          row(told.eventId, type, told.status, told.outcome ?? '-', `${told.attempts} attempts`, told.orderStatus ?? '-');
          say(`${options.url}/console/events/${told.eventId}`);
        } catch (error) {
          if (error instanceof NoStory) throw new Stop(exit.failed, error.message);
          throw error;
        }
      },
    );

  program
    .command('tail')
    .description('ends of attempts as they happen, until Ctrl-C')
    .option('--type <type>')
    .option('--order <no>', 'of this order number')
    .option('--errors', 'only those that failed')
    .option('--since <minutes>', 'begin so long ago', whole, 0)
    .option('--for <seconds>', 'end after so long', whole)
    .option('--format <format>', 'text, json', oneOf(['text', 'json'] as const), 'text')
    .action(async (options: { type?: string; order?: string; errors?: boolean; since: number; for?: number; format: 'text' | 'json' }) => {
      await withDatabase(async (database) => {
        const seen = new Map<string, number>();
        let since = new Date((await database.now()).getTime() - options.since * 60_000);
        const endMs = options.for === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.for * 1_000;
        for (;;) {
          for (const one of await attemptsSince(database, since)) {
            const key = `${one.eventId}.${one.number}`;
            if (seen.has(key)) continue;
            seen.set(key, one.finishedAt.getTime());
            if (one.finishedAt.getTime() > since.getTime() + LOOK_EVERY_MS) since = new Date(one.finishedAt.getTime() - LOOK_EVERY_MS); // commits overtake each other
            if ((options.type && one.type !== options.type) || (options.order && one.subjectNo !== options.order) || (options.errors && !one.errorCode))
              continue;
            if (options.format === 'json') outLine({ ...one, finishedAt: toRfc3339(one.finishedAt) });
            else row(toRfc3339(one.finishedAt), one.type, `#${key}`, one.subjectNo ?? '-', one.outcome ?? '-', one.errorCode ?? '-', one.decision ?? '');
          }
          for (const [key, atMs] of seen) if (atMs < since.getTime()) seen.delete(key);
          if (performance.now() >= endMs || nobodyReads()) return;
          await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_EVERY_MS, endMs - performance.now())));
        }
      });
    });
}

function faultOf(name: string, overrides: Record<string, string>): Fault {
  const kind = faultKinds.find((one) => one === name);
  const fault = faultAliases[name] ?? (kind ? { kind } : undefined);
  if (!fault) throw new Stop(exit.usage, `--fault: one of ${[...Object.keys(faultAliases), ...faultKinds].join(', ')}`);
  const { ms, status, ...texts } = overrides;
  return { ...fault, ...texts, ...(ms ? { ms: Number(ms) } : {}), ...(status ? { status: Number(status) } : {}) };
}

/** As the API wants it: with AUTH_ISSUER and AUTH_AUDIENCE where they are set. */
async function ownToken(): Promise<string> {
  const { AUTH_JWT_SECRET, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = settingsFor('AUTH_JWT_SECRET', 'AUTH_ISSUER', 'AUTH_AUDIENCE');
  const secret = AUTH_JWT_SECRET ?? (existsSync('data/jwt-secret') ? readFileSync('data/jwt-secret', 'utf8').trim() : undefined);
  if (!secret) throw new Stop(exit.notAllowed, 'give a --token, or AUTH_JWT_SECRET');
  return signToken(secret, { sub: 'trigger', role: 'operator', email: 'trigger@example.com', ttlS: TOKEN_TTL_S, issuer, audience });
}
