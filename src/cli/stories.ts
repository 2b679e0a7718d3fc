import type { Command } from 'commander';
import { toRfc3339 } from '../base/clock.js';
import { attemptsSince } from '../operate/tail.js';
import { nobodyReads, outLine, row } from './print.js';
import { oneOf, whole, withDatabase } from './shared.js';

const LOOK_EVERY_MS = 1_000;

/** Watching what happens. */
export function addStories(program: Command): void {
  program
    .command('tail')
    .description('ends of attempts as they happen, until Ctrl-C')
    .option('--type <type>')
    .option('--order <no>', 'of this order number')
    .option('--errors', 'only those that failed')
    .option('--since <minutes>', 'begin so long ago', whole, 0)
    .option('--for <seconds>', 'end after so long', whole)
    .option('--format <format>', 'text, json', oneOf(['text', 'json'] as const), 'text')
    .action(
      async (options: {
        type?: string;
        order?: string;
        errors?: boolean;
        since: number;
        for?: number;
        format: 'text' | 'json';
      }) => {
        await withDatabase(async (database) => {
          const seen = new Map<string, number>();
          let since = new Date((await database.now()).getTime() - options.since * 60_000);
          const endMs =
            options.for === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.for * 1_000;
          for (;;) {
            for (const one of await attemptsSince(database, since)) {
              const key = `${one.eventId}.${one.number}`;
              if (seen.has(key)) continue;
              seen.set(key, one.finishedAt.getTime());
              if (one.finishedAt.getTime() > since.getTime() + LOOK_EVERY_MS)
                since = new Date(one.finishedAt.getTime() - LOOK_EVERY_MS); // commits overtake each other
              if (
                (options.type && one.type !== options.type) ||
                (options.order && one.subjectNo !== options.order) ||
                (options.errors && !one.errorCode)
              )
                continue;
              if (options.format === 'json') outLine({ ...one, finishedAt: toRfc3339(one.finishedAt) });
              else
                row(
                  toRfc3339(one.finishedAt),
                  one.type,
                  `#${key}`,
                  one.subjectNo ?? '-',
                  one.outcome ?? '-',
                  one.errorCode ?? '-',
                  one.decision ?? '',
                );
            }
            for (const [key, atMs] of seen) if (atMs < since.getTime()) seen.delete(key);
            if (performance.now() >= endMs || nobodyReads()) return;
            await new Promise((resolve) =>
              setTimeout(resolve, Math.min(LOOK_EVERY_MS, endMs - performance.now())),
            );
          }
        });
      },
    );
}
