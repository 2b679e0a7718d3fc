import type { Command } from 'commander';
import { executeBulk, previewBulk, stopBulk } from '../operate/acts/batches.js';
import { type BatchVerb, batchItems, batchVerbs, readBatch } from '../operate/batch/batch.js';
import { type Preview, RATE_MAX } from '../operate/batch/preview.js';
import { actCommand, carryOut, type SignedOptions, signed } from './act-command.js';
import { out, row, say } from './print.js';
import { exit, idOf, oneOf, Stop, whole, withDatabase } from './shared.js';

const ITEMS_SHOWN = 1_000;

/** Many events at once. */
export function addBatch(program: Command): void {
  signed(
    program
      .command('redrive')
      .description('requeue (or discard) many errored events: shows what it would touch; with --yes, does it')
      .option('--type <type>')
      .option('--cause <cause>', 'as `causes --json` names it (groupKey)')
      .option('--verb <verb>', batchVerbs.join(', '), oneOf(batchVerbs), 'requeue')
      .option('--rps <n>', 'events a second', whole, 5)
      .option('--reason <text>', 'why; kept in the audit')
      .option('--yes', 'carry it out'),
  )
    .option('--json')
    .action(redrive);

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

  actCommand(batches, stopBulk, 'stop <id>').action(async (id: string, options: SignedOptions) => {
    await withDatabase((database) => carryOut(stopBulk, { database }, { id: idOf('batch', id) }, options));
    say(`batch ${id} is stopped`);
  });
}

interface RedriveOptions extends SignedOptions {
  readonly type?: string;
  readonly cause?: string;
  readonly verb: BatchVerb;
  readonly rps: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Previews the batch and, with --yes, executes it: the person who types the command needs no second person. */
async function redrive(options: RedriveOptions): Promise<void> {
  if (!options.type && !options.cause)
    throw new Stop(exit.usage, 'name a --type or a --cause: not everything at once');
  if (options.rps < 1 || options.rps > RATE_MAX) throw new Stop(exit.usage, `--rps: 1 to ${RATE_MAX}`);
  if (options.yes && !options.reason) throw new Stop(exit.usage, '--yes needs --reason');
  const { verb, type, cause, rps: ratePerSecond } = options;
  const reasoned = { ...options, reason: options.reason ?? 'a look' };
  await withDatabase(async (database) => {
    const preview = await carryOut(previewBulk, { database }, { verb, type, cause, ratePerSecond }, reasoned);
    show(preview, options);
    if (!options.yes) return say('nothing was done; --yes --reason "…" carries it out');
    const { id, total } = preview.batch;
    const stated = { id, token: preview.token, count: total };
    await carryOut(executeBulk, { database, alone: true }, stated, reasoned);
    say(`batch ${id} runs; a scheduler carries it out, the first event alone`);
  });
}

function show(preview: Preview, { json, yes }: RedriveOptions): void {
  if (json && !yes) out({ ...preview, token: undefined });
  else for (const { type, cause, count } of preview.groups) row(String(count), type, cause ?? '-');
  const { batch, expectedS, cut } = preview;
  say(`${batch.total} events, about ${expectedS} s${cut ? '; there are more than one batch may hold' : ''}`);
}
