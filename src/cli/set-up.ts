import os from 'node:os';
import type { Command } from 'commander';
import { runDoctor } from '../app/doctor.js';
import { isPersonId, roles } from '../base/caller.js';
import { migrate, pendingMigrations, revertLast } from '../database/migrate.js';
import { signToken, TOKEN_MAX_S } from '../http/auth.js';
import { afterRestore } from './after-restore.js';
import { importMenus } from './import-menus.js';
import { out, say } from './print.js';
import { exit, oneOf, Stop, settingsFor, whole, withDatabase } from './shared.js';

/** What a person does before anything runs, and to see whether it can run. */
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
    .action(importMenus);

  program
    .command('token')
    .description('sign a token with AUTH_JWT_SECRET')
    .requiredOption('--sub <user>', 'user id')
    .requiredOption('--role <role>', roles.join(', '), oneOf(roles))
    .option('--email <email>', 'needed to order')
    .option('--name <name>')
    .option('--ttl <seconds>', 'how long it is valid', whole, 86_400)
    .action(printToken);

  program
    .command('doctor')
    .description('check settings, database, Redis and vendors; changes nothing')
    .option('--json')
    .action(doctor);

  program
    .command('after-restore')
    .description(
      'before anything is started on a restored database: ask before repeating, and give out no number twice',
    )
    .requiredOption('--reason <text>', 'which backup; kept in the audit')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(afterRestore);
}

async function printToken(options: {
  sub: string;
  role: (typeof roles)[number];
  email?: string;
  name?: string;
  ttl: number;
}): Promise<void> {
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
}

async function doctor(options: { json?: boolean }): Promise<void> {
  const checks = await runDoctor(process.env);
  if (options.json) out(checks);
  else
    for (const { name, ok, detail, whatToDo } of checks) {
      out(`${ok ? 'ok  ' : 'FAIL'}  ${name}: ${detail}`);
      if (whatToDo) out(`      → ${whatToDo}`);
    }
  if (checks.some((check) => !check.ok)) throw new Stop(exit.failed, 'not everything is well');
}
