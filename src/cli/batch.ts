import os from 'node:os';
import type { Command } from 'commander';
import {
  type BatchVerb,
  batchItems,
  batchVerbs,
  executeBatch,
  previewBatch,
  RATE_MAX,
  readBatch,
  stopBatch,
} from '../operate/batch.js';
import { out, row, say } from './print.js';
import { actOf, exit, idOf, oneOf, Stop, whole, withDatabase } from './shared.js';

const ITEMS_SHOWN = 1_000;

/** Many events at once. */
export function addBatch(program: Command): void {
  program
    .command('redrive')
    .description('requeue (or discard) many errored events: shows what it would touch; with --yes, does it')
    .option('--type <type>')
    .option('--cause <cause>', 'as `causes --json` names it (groupKey)')
    .option('--verb <verb>', batchVerbs.join(', '), oneOf(batchVerbs), 'requeue')
    .option('--rps <n>', 'events a second', whole, 5)
    .option('--reason <text>', 'why; kept in the audit')
    .option('--yes', 'carry it out')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .option('--json')
    .action(
      async (options: {
        type?: string;
        cause?: string;
        verb: BatchVerb;
        rps: number;
        reason?: string;
        yes?: boolean;
        as: string;
        json?: boolean;
      }) => {
        if (!options.type && !options.cause)
          throw new Stop(exit.usage, 'name a --type or a --cause: not everything at once');
        if (options.rps < 1 || options.rps > RATE_MAX) throw new Stop(exit.usage, `--rps: 1 to ${RATE_MAX}`);
        if (options.yes && !options.reason) throw new Stop(exit.usage, '--yes needs --reason');
        await withDatabase(async (database) => {
          const act = actOf({ as: options.as, reason: options.reason ?? 'a look' });
          const preview = await previewBatch(
            database,
            options.verb,
            { type: options.type, cause: options.cause },
            options.rps,
            act,
          );
          if (options.json && !options.yes) out({ ...preview, token: undefined });
          else for (const { type, cause, count } of preview.groups) row(String(count), type, cause ?? '-');
          say(
            `${preview.batch.total} events, about ${preview.expectedS} s${preview.cut ? '; there are more than one batch may hold' : ''}`,
          );
          if (!options.yes) return say('nothing was done; --yes --reason "…" carries it out');
          const result = await executeBatch(
            database,
            preview.batch.id,
            { token: preview.token, count: preview.batch.total, alone: true },
            act,
          );
          if (result.kind !== 'done')
            throw new Stop(
              exit.conflict,
              `batch ${preview.batch.id} was refused: ${result.kind === 'refused' ? result.why : result.kind}`,
            );
          say(`batch ${preview.batch.id} runs; a scheduler carries it out, the first event alone`);
        });
      },
    );

  const batches = program.command('batches').description('bulk acts that were started');
  batches
    .command('show <id>')
    .description('how far a bulk act is, and what became of each event; exit 6 if some were skipped')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) => {
      await withDatabase(async (database) => {
        const batch = await readBatch(database, idOf('batch', id));
        if (!batch) throw new Stop(exit.notFound, `there is no batch ${id}`);
        const items = await batchItems(database, id, 0, ITEMS_SHOWN);
        if (options.json) out({ ...batch, items });
        else for (const item of items) row(item.eventId, item.result ?? 'waiting', item.why ?? '');
        say(
          `${batch.status}: ${batch.done} of ${batch.total} done, ${batch.skipped} skipped${batch.why ? `; ${batch.why}` : ''}`,
        );
        if (batch.status === 'done' && batch.skipped > 0)
          throw new Stop(exit.partly, 'not all of them were touched');
      });
    });

  batches
    .command('stop <id>')
    .description('touch no further event')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(async (id: string, options: { as: string }) => {
      const result = await withDatabase((database) => stopBatch(database, idOf('batch', id), actOf(options)));
      if (result.kind === 'not-found') throw new Stop(exit.notFound, `there is no batch ${id}`);
      if (result.kind === 'refused') throw new Stop(exit.conflict, `batch ${id} is not running`);
      say(`batch ${id} is stopped`);
    });
}
