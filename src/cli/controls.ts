import type { Command } from 'commander';
import { toRfc3339 } from '../base/clock.js';
import { pauseClaims, pauseScopes, resumeClaims } from '../operate/acts/controls.js';
import { activePauses } from '../operate/pause.js';
import { actCommand, carryOut, type SignedOptions } from './act-command.js';
import { out, row, say } from './print.js';
import { oneOf, whole, withDatabase, withOutbox } from './shared.js';

/** One poll by hand, and pauses. */
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

  type Scoped = SignedOptions & { scope: (typeof pauseScopes)[number] };
  const scope = ['--scope <scope>', pauseScopes.join(', '), oneOf(pauseScopes), 'type'] as const;
  actCommand(program, pauseClaims, 'pause <name>')
    .requiredOption('--minutes <n>', 'it ends by itself then', whole)
    .option(...scope)
    .action(async (name: string, options: Scoped & { minutes: number }) => {
      const stated = { scope: options.scope, name, minutes: Math.max(1, options.minutes) };
      await withOutbox((engine) => carryOut(pauseClaims, engine, stated, options));
      say(`${name} is paused; it goes on by itself in ${options.minutes} minutes`);
    });

  actCommand(program, resumeClaims, 'resume <name>')
    .option(...scope)
    .action(async (name: string, options: Scoped) => {
      await withDatabase((database) =>
        carryOut(resumeClaims, { database }, { scope: options.scope, name }, options),
      );
      say(`${name} goes on`);
    });

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
