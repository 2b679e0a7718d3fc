import os from 'node:os';
import type { Command } from 'commander';
import { toRfc3339 } from '../base/clock.js';
import { activePauses, pause, resume } from '../operate/pause.js';
import { out, row, say } from './print.js';
import { actOf, exit, oneOf, Stop, whole, withDatabase, withOutbox } from './shared.js';

/** The poller by hand, and pauses. */
export function addControls(program: Command): void {
  program
    .command('poll')
    .description('carry out what is due, here and now, then end')
    .requiredOption('--once', 'until nothing is due')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      await withOutbox(async (outbox) => {
        const counts: Record<string, number> = {};
        outbox.signals.on('attempt-ended', ({ status }) => {
          counts[status] = (counts[status] ?? 0) + 1;
        });
        for (;;) {
          const claimed = await outbox.claimAndStart();
          if (claimed !== 'no-slot' && claimed.rows.length === 0 && outbox.runningCount === 0) break;
          await outbox.oneEnded();
        }
        if (options.json) out(counts);
        else
          say(
            Object.entries(counts)
              .map(([status, count]) => `${count} ${status}`)
              .join(', ') || 'nothing was due',
          );
      });
    });

  const scopes = ['type', 'target'] as const;
  program
    .command('pause <name>')
    .description('claim nothing of an event type, or of a vendor, for some minutes')
    .requiredOption('--minutes <n>', 'it ends by itself then', whole)
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .option('--scope <scope>', scopes.join(', '), oneOf(scopes), 'type')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(
      async (
        name: string,
        options: { minutes: number; reason: string; scope: (typeof scopes)[number]; as: string },
      ) => {
        const forMs = Math.max(1, options.minutes) * 60_000;
        const result = await withOutbox(({ database, registry }) =>
          pause(database, registry, { scope: options.scope, name, forMs }, actOf(options)),
        );
        if (result.kind === 'not-found')
          throw new Stop(exit.notFound, `there is no ${options.scope} ${name}`);
        if (result.kind === 'conflict') throw new Stop(exit.conflict, `${name} is paused already`);
        say(`${name} is paused; it goes on by itself in ${options.minutes} minutes`);
      },
    );

  program
    .command('resume <name>')
    .description('end a pause before its time')
    .option('--scope <scope>', scopes.join(', '), oneOf(scopes), 'type')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(
      async (name: string, options: { reason?: string; scope: (typeof scopes)[number]; as: string }) => {
        const result = await withDatabase((database) =>
          resume(database, { scope: options.scope, name }, actOf(options)),
        );
        if (result.kind === 'not-found') throw new Stop(exit.notFound, `${name} is not paused`);
        say(`${name} goes on`);
      },
    );

  program
    .command('pauses')
    .description('what is paused now')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      await withDatabase(async (database) => {
        const pauses = await activePauses(database);
        if (options.json) return out(pauses);
        for (const { scope, name, type, untilAt, actor, reason } of pauses)
          row(scope, name, type, toRfc3339(untilAt), actor, reason);
      });
    });
}
