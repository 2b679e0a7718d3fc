import os from 'node:os';
import type { Command } from 'commander';
import { toRfc3339 } from '../base/clock.js';
import { ask } from '../operate/ask.js';
import type { Act } from '../operate/audit.js';
import { discard } from '../operate/discard.js';
import { findEvent } from '../operate/find.js';
import { listEvents, type Shade, shades } from '../operate/list.js';
import { requeue, settleAsDone, settleAsNotDone } from '../operate/requeue.js';
import { type Why, why, whySentence } from '../operate/why.js';
import { readEvent } from '../orders/event-story.js';
import { eventView } from '../orders/view.js';
import { whyOrder } from '../orders/why.js';
import { out, row, say } from './print.js';
import {
  actOf,
  eventId,
  exit,
  idOf,
  oneOf,
  orStop,
  Stop,
  tell,
  whole,
  withDatabase,
  withOutbox,
} from './shared.js';

/** Events: look, act, ask why. */
export function addEvents(program: Command): void {
  const events = program.command('events').description('the event table');

  events
    .command('list')
    .description('newest first')
    .option('--status <state>', shades.join(', '), oneOf(shades))
    .option('--type <type>')
    .option('--order <id>', 'of this order id')
    .option('--limit <n>', 'at most so many', whole, 20)
    .option('--json', 'whole events as JSON')
    .action(
      async (options: { status?: Shade; type?: string; order?: string; limit: number; json?: boolean }) => {
        await withDatabase(async (database, settings) => {
          const filter = {
            state: options.status,
            types: options.type === undefined ? undefined : [options.type],
            subjectId: options.order === undefined ? undefined : idOf('order', options.order),
          };
          const { rows, lookedAt } = await listEvents(database, filter, options.limit);
          if (lookedAt !== null) say(`looked at the newest ${lookedAt}`);
          const views = rows.map((row) => eventView(row, settings.RETRY_LIMIT));
          if (options.json) return out(views);
          for (const { id, type, status, orderNo, failures, failuresMax, lastError, runAt } of views)
            row(id, status, type, orderNo ?? '-', `${failures}/${failuresMax}`, runAt, lastError?.code ?? '');
        });
      },
    );

  events
    .command('show <id>')
    .description('one event and its attempts')
    .action(async (id: string) => {
      await withDatabase(async (database, settings) => {
        const story = await readEvent(database, { failuresMax: () => settings.RETRY_LIMIT }, eventId(id));
        if (!story) throw new Stop(exit.notFound, `there is no event ${id}`);
        out(story);
      });
    });

  for (const [verb, deed, refusal] of [
    [
      'requeue',
      (id: string, act: Act) => withDatabase((database) => requeue(database, id, act)),
      'only an errored event can be requeued',
    ],
    [
      'discard',
      (id: string, act: Act) => withOutbox(({ database, registry }) => discard(database, registry, id, act)),
      'only an errored or waiting event can be discarded',
    ],
  ] as const) {
    events
      .command(`${verb} <id>`)
      .description(refusal)
      .requiredOption('--reason <text>', 'why; kept in the audit')
      .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
      .action(async (id: string, options: { reason: string; as: string }) => {
        tell(id, await deed(eventId(id), actOf(options)), refusal);
        say(`event ${id}: ${verb} done; a scheduler sees it within seconds`);
      });
  }

  events
    .command('ask <id>')
    .description('ask the vendor what its books say of this event; the answer is kept in the audit')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .option('--json')
    .action(async (id: string, options: { as: string; json?: boolean }) => {
      const asked = await withOutbox(({ database, registry }) =>
        ask(database, registry, eventId(id), actOf(options)),
      );
      if (asked.kind === 'not-found') throw new Stop(exit.notFound, `there is no event ${id}`);
      if (asked.kind === 'no-question')
        throw new Stop(exit.conflict, `there is no vendor to ask about ${asked.type}`);
      out(options.json ? asked : `${asked.finding.outcome}: ${asked.finding.text}`);
    });

  events
    .command('settle <id>')
    .description('state what the vendor did with an errored event')
    .requiredOption('--reason <text>', 'your proof; kept in the audit')
    .option('--done', 'it was done: the event is handled')
    .option(
      '--not-done',
      'it was not done (unknown outcomes only): the event is carried out again without asking first',
    )
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(
      async (id: string, options: { reason: string; done?: boolean; notDone?: boolean; as: string }) => {
        if ((options.done ?? false) === (options.notDone ?? false))
          throw new Stop(exit.usage, 'say either --done or --not-done');
        const act = actOf(options);
        const result = await withOutbox(({ database, registry }) =>
          options.done
            ? settleAsDone(database, registry, eventId(id), act)
            : settleAsNotDone(database, eventId(id), act),
        );
        tell(
          id,
          result,
          'only an errored event can be settled by hand, and as not done only one whose outcome is unknown',
        );
        say(
          `event ${id}: settled as ${options.done ? 'done' : 'not done; a scheduler carries it out again within seconds'}`,
        );
      },
    );

  program
    .command('why <event>')
    .description('why an event, or an order (by its number), is where it is, and what happens next')
    .option('--json')
    .action(async (wanted: string, options: { json?: boolean }) => {
      const sentence = (answer: Why): string =>
        whySentence(answer, (instant) => (instant ? toRfc3339(instant) : 'an unknown time'));
      await withOutbox(async ({ database, registry }) => {
        const event = await findEvent(database.manager, eventId(wanted));
        if (event) {
          const answer = await why(database, registry, event);
          return out(options.json ? answer : sentence(answer));
        }
        const order = await orStop(whyOrder(database, registry, wanted));
        if (options.json) return out(order);
        if (order.events.length === 0)
          return out(`${order.orderNo} is ${order.status}. Nothing more will happen by itself.`);
        for (const { id, type, why: answer } of order.events) row(`#${id}`, type, sentence(answer));
      });
    });
}
