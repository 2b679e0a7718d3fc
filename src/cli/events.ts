import type { Command } from 'commander';
import { toRfc3339 } from '../base/clock.js';
import { type EventState, eventStates } from '../operate/filter.js';
import { findEvent } from '../operate/find.js';
import { listEvents } from '../operate/list.js';
import { type Why, why } from '../operate/why.js';
import { whySentence } from '../operate/why-sentence.js';
import { readEvent } from '../orders/event-story.js';
import { eventView } from '../orders/view.js';
import { whyOrder } from '../orders/why.js';
import { addEventActs } from './event-acts.js';
import { out, row, say } from './print.js';
import { eventId, exit, idOf, oneOf, orStop, Stop, whole, withDatabase, withOutbox } from './shared.js';

/** Events: look, act, ask why. */
export function addEvents(program: Command): void {
  const events = program.command('events').description('the event table');

  events
    .command('list')
    .description('newest first')
    .option('--status <state>', eventStates.join(', '), oneOf(eventStates))
    .option('--type <type>')
    .option('--order <id>', 'of this order id')
    .option('--limit <n>', 'at most so many', whole, 20)
    .option('--json', 'whole events as JSON')
    .action(
      async (options: {
        status?: EventState;
        type?: string;
        order?: string;
        limit: number;
        json?: boolean;
      }) => {
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

  addEventActs(events);
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
        const { complaint } = order;
        if (complaint)
          row(`complaint ${complaint.id}`, complaint.state, `since ${toRfc3339(complaint.since)}`);
        if (order.events.length === 0 && !complaint)
          return out(`${order.orderNo} is ${order.status}. Nothing more will happen by itself.`);
        for (const { id, type, why: answer } of order.events) row(`#${id}`, type, sentence(answer));
      });
    });
}
