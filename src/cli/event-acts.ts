import type { Command } from 'commander';
import { askVendor, discardEvent, requeueEvent, settleEvent } from '../operate/acts/events.js';
import { actCommand, carryOut, type SignedOptions } from './act-command.js';
import { out, say } from './print.js';
import { eventId, exit, Stop, withDatabase, withOutbox } from './shared.js';

/** What a person does to one event. */
export function addEventActs(events: Command): void {
  actCommand(events, requeueEvent, 'requeue <id>').action(async (id: string, options: SignedOptions) => {
    await withDatabase((database) => carryOut(requeueEvent, { database }, { id: eventId(id) }, options));
    say(`event ${id}: requeue done; a scheduler sees it within seconds`);
  });

  actCommand(events, discardEvent, 'discard <id>').action(async (id: string, options: SignedOptions) => {
    await withOutbox((engine) => carryOut(discardEvent, engine, { id: eventId(id) }, options));
    say(`event ${id}: discard done; a scheduler sees it within seconds`);
  });

  actCommand(events, askVendor, 'ask <id>')
    .option('--json')
    .action(async (id: string, options: SignedOptions & { json?: boolean }) => {
      const asked = await withOutbox((engine) => carryOut(askVendor, engine, { id: eventId(id) }, options));
      out(options.json ? { kind: 'asked', ...asked } : `${asked.finding.outcome}: ${asked.finding.text}`);
    });

  actCommand(events, settleEvent, 'settle <id>', 'your proof; kept in the audit')
    .option('--done', 'it was done: the event is handled')
    .option(
      '--not-done',
      'it was not done (unknown outcomes only): the event is carried out again without asking first',
    )
    .action(async (id: string, options: SignedOptions & { done?: boolean; notDone?: boolean }) => {
      if ((options.done ?? false) === (options.notDone ?? false))
        throw new Stop(exit.usage, 'say either --done or --not-done');
      const stated = { id: eventId(id), as: options.done ? 'done' : 'not-done' } as const;
      await withOutbox((engine) => carryOut(settleEvent, engine, stated, options));
      say(
        `event ${id}: settled as ${options.done ? 'done' : 'not done; a scheduler carries it out again within seconds'}`,
      );
    });
}
