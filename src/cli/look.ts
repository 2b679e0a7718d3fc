import os from 'node:os';
import type { Command } from 'commander';
import { listGroups, stateOf } from '../alerts/group.js';
import { markKnown, unmarkKnown } from '../alerts/known.js';
import { toRfc3339 } from '../base/clock.js';
import { listActions } from '../operate/audit.js';
import { findOrder } from '../orders/find.js';
import { reveal } from '../orders/reveal.js';
import { readTimeline } from '../orders/timeline.js';
import { out, row, say } from './print.js';
import { actOf, exit, idOf, orStop, Stop, withDatabase } from './shared.js';

/** Orders, causes, audit. */
export function addLook(program: Command): void {
  const orders = program.command('orders').description('orders');
  orders
    .command('show <order>')
    .description('everything that happened to an order, by its id or number, oldest first')
    .option('--json')
    .action(async (wanted: string, options: { json?: boolean }) => {
      await withDatabase(async (database) => {
        const order = await orStop(findOrder(database, wanted));
        const story = await readTimeline(database, order.id);
        if (options.json) return out(story);
        row(
          story.order.orderNo,
          story.order.status,
          `refund ${story.order.refund}`,
          story.order.meicanOrderId ?? '-',
        );
        for (const { at, kind, what, detail } of story.timeline)
          row(at, kind, what, String(detail.eventId ?? ''), String(detail.decision ?? ''));
      });
    });

  orders
    .command('reveal <order>')
    .description('the name and e-mail of who ordered; kept in the audit')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(async (wanted: string, options: { as: string }) => {
      await withDatabase(async (database) => {
        const order = await orStop(findOrder(database, wanted));
        out(await reveal(database, order.id, actOf(options)));
      });
    });

  const causesCommand = program.command('causes');
  causesCommand
    .description('failures grouped by their cause, the latest first')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      await withDatabase(async (database) => {
        const causes = await listGroups(database);
        if (options.json) return out(causes);
        for (const group of causes)
          row(
            group.id,
            stateOf(group),
            group.kind,
            group.eventType ?? '-',
            String(group.occurrences),
            toRfc3339(group.lastAt),
            group.cause,
          );
      });
    });

  program
    .command('audit')
    .description('who did what, the latest first')
    .option('--before <id>', 'older than this one')
    .option('--json')
    .action(async (options: { before?: string; json?: boolean }) => {
      await withDatabase(async (database) => {
        const { rows } = await listActions(
          database,
          options.before === undefined ? undefined : idOf('entry', options.before),
        );
        if (options.json) return out(rows);
        for (const { id, at, actor, role, verb, targetType, targetId, reason } of rows)
          row(id, toRfc3339(at), `${actor} (${role})`, verb, `${targetType} ${targetId}`, reason ?? '');
      });
    });

  for (const [verb, deed, words] of [
    ['know', markKnown, 'no more messages about an open cause until it has recovered and comes back'],
    ['unknow', unmarkKnown, 'a known cause is to ring again'],
  ] as const) {
    causesCommand
      .command(`${verb} <cause>`)
      .description(words)
      .requiredOption('--reason <text>', 'why; kept in the audit')
      .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
      .action(async (id: string, options: { reason: string; as: string }) => {
        const result = await withDatabase((database) => deed(database, idOf('cause', id), actOf(options)));
        if (result.kind === 'not-found') throw new Stop(exit.notFound, `there is no cause ${id}`);
        if (result.kind === 'conflict') throw new Stop(exit.conflict, `cause ${id} is ${result.status}`);
        say(`cause ${id}: ${verb} done`);
      });
  }
}
