import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Command } from 'commander';
import { z } from 'zod';
import { runDoctor } from '../app/doctor.js';
import { createLogger } from '../app/logging.js';
import { connectRedis } from '../app/redis.js';
import { isPersonId, roles } from '../base/caller.js';
import { migrate, pendingMigrations, revertLast } from '../database/migrate.js';
import { signToken, TOKEN_MAX_S } from '../http/auth.js';
import { menuBody } from '../http/routes/menus.js';
import { mealType, menuDay, shortText } from '../http/schemas.js';
import { doubtAll } from '../operate/doubt.js';
import { putMenu } from '../orders/menu.js';
import { createOrderNumbers } from '../orders/number.js';
import { heartbeats } from '../outbox/heartbeat.js';
import { out, say } from './print.js';
import { actOf, exit, oneOf, Stop, settingsFor, whole, withDatabase } from './shared.js';

const menuFile = menuBody.extend({ garden: shortText(64), date: menuDay, mealType });

/** More than a day's orders of any canteen. */
const NUMBERS_SKIPPED = 100_000;

/** What is done before anything runs, and to see whether it can. */
export function addSetUp(program: Command): void {
  program
    .command('migrate')
    .description('bring the schema up to date')
    .option('--revert', 'undo the newest migration')
    .option('--dry-run', 'only name what would run')
    .action(async (options: { revert?: boolean; dryRun?: boolean }) => {
      await withDatabase(async (database) => {
        if (options.dryRun) return out(await pendingMigrations(database));
        if (options.revert) {
          await revertLast(database);
          return say('the newest migration is undone');
        }
        const ran = await migrate(database);
        say(ran.length > 0 ? `ran ${ran.join(', ')}` : 'nothing to do');
      });
    });

  program
    .command('menu')
    .description('menus')
    .command('import <file>')
    .description('make the menus what a JSON file says: one menu, or a list of them')
    .action(async (file: string) => {
      let content: unknown;
      try {
        content = JSON.parse(readFileSync(file, 'utf8'));
      } catch (error) {
        throw new Stop(exit.usage, `${file}: ${(error as Error).message}`);
      }
      const parsed = z
        .array(menuFile)
        .min(1)
        .safeParse(Array.isArray(content) ? content : [content]);
      if (!parsed.success)
        throw new Stop(
          exit.usage,
          ...parsed.error.issues.map((issue) => `${file}: ${issue.path.join('.')}: ${issue.message}`),
        );
      await withDatabase(async (database) => {
        for (const { garden, date, mealType: meal, ...input } of parsed.data) {
          await putMenu(database, { garden, date, mealType: meal }, input);
          say(
            `${garden} ${date} ${meal}: ${input.dishes.length} dishes, ${input.sideboards.length} cabinets`,
          );
        }
      });
    });

  program
    .command('token')
    .description('sign a token with AUTH_JWT_SECRET')
    .requiredOption('--sub <user>', 'user id')
    .requiredOption('--role <role>', roles.join(', '), oneOf(roles))
    .option('--email <email>', 'needed to order')
    .option('--name <name>')
    .option('--ttl <seconds>', 'how long it is valid', whole, 86_400)
    .action(
      async (options: {
        sub: string;
        role: (typeof roles)[number];
        email?: string;
        name?: string;
        ttl: number;
      }) => {
        const {
          AUTH_JWT_SECRET,
          AUTH_ISSUER: issuer,
          AUTH_AUDIENCE: audience,
        } = settingsFor('AUTH_JWT_SECRET', 'AUTH_ISSUER', 'AUTH_AUDIENCE');
        if (!AUTH_JWT_SECRET) throw new Stop(exit.usage, 'AUTH_JWT_SECRET: missing');
        if (options.ttl < 1 || options.ttl > TOKEN_MAX_S)
          throw new Stop(exit.usage, `--ttl: 1 to ${TOKEN_MAX_S} seconds; no token is valid for longer`);
        if (!isPersonId(options.sub))
          throw new Stop(exit.usage, '--sub: 1 to 128 printable characters, without a space at either end');
        out(await signToken(AUTH_JWT_SECRET, { ...options, issuer, audience, ttlS: options.ttl }));
      },
    );

  program
    .command('doctor')
    .description('check settings, database, Redis and vendors; changes nothing')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      const checks = await runDoctor(process.env);
      if (options.json) out(checks);
      else
        for (const { name, ok, detail, whatToDo } of checks) {
          out(`${ok ? 'ok  ' : 'FAIL'}  ${name}: ${detail}`);
          if (whatToDo) out(`      → ${whatToDo}`);
        }
      if (checks.some((check) => !check.ok)) throw new Stop(exit.failed, 'not everything is well');
    });

  program
    .command('after-restore')
    .description(
      'before anything is started on a restored database: ask before repeating, and give out no number twice',
    )
    .requiredOption('--reason <text>', 'which backup; kept in the audit')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(async (options: { reason: string; as: string }) => {
      const settings = settingsFor('REDIS_URLS');
      const redis = settings.REDIS_URLS.map((url) => connectRedis(url, createLogger('silent', 'cli')));
      try {
        await withDatabase(async (database) => {
          if ((await heartbeats(database)).some(({ state }) => state === 'alive'))
            throw new Stop(
              exit.conflict,
              'a process (api or scheduler) is running on this database, or was within the last 45 s: stop all of them first',
            );
          const doubted = await doubtAll(database, actOf(options));
          await createOrderNumbers(database, redis[0] ?? null).skip(NUMBERS_SKIPPED, await database.now());
          say(
            `${doubted} pending events will ask their vendor before they repeat anything; ${NUMBERS_SKIPPED} order numbers of today are skipped`,
          );
          say('next: start one scheduler, then `books repair --day …` for yesterday, today and tomorrow');
        });
      } finally {
        for (const client of redis) client.disconnect();
      }
    });
}
