import type { Command } from 'commander';
import { migrate } from '../database/migrate.js';
import { NotEmpty, type Scale, scales, seed } from '../seed.js';
import { say } from './print.js';
import { exit, oneOf, Stop, withDatabase } from './shared.js';

/** Believable stories for trying and measuring. */
export function addSeed(program: Command): void {
  program
    .command('seed')
    .description('fill an empty database with stories: 2 000 events (small), a million (big)')
    .option('--scale <scale>', Object.keys(scales).join(', '), oneOf(Object.keys(scales) as Scale[]), 'small')
    .action(async (options: { scale: Scale }) => {
      if (process.env.NODE_ENV === 'production') throw new Stop(exit.usage, 'never in production');
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

/** A bar for people only. */
function progress(done: number, of: number): void {
  if (!process.stderr.isTTY) return;
  const width = 40;
  const full = Math.round((done / of) * width);
  process.stderr.write(`\r${'█'.repeat(full)}${'░'.repeat(width - full)} ${done}/${of}${done === of ? '\n' : ''}`);
}
