import type { Command } from 'commander';
import { eventTypes } from '../handlers/index.js';
import { out, row } from './print.js';

/** The event types that this build knows, for a person who reads one in a log or an alert. */
export function addEventTypes(program: Command): void {
  program
    .command('event-types')
    .description('every event type: what it does, and what it means if it never succeeds')
    .option('--json', 'with an example of each payload')
    .action((options: { json?: boolean }) => {
      if (options.json)
        return out(
          eventTypes.map(({ type, words, repeatable, example }) => ({
            type,
            ...words.en,
            repeatable,
            example,
          })),
        );
      for (const { type, words } of eventTypes) row(type, words.en.name, words.en.does, words.en.ifNever);
    });
}
