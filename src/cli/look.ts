import type { Command } from 'commander';
import { listGroups, stateOf } from '../alerts/group.js';
import { toRfc3339 } from '../base/clock.js';
import { forgetCause, knowCause } from '../operate/acts/controls.js';
import { revealDiner } from '../operate/acts/orders.js';
import { listActions } from '../operate/audit.js';
import { findOrder } from '../orders/find.js';
import { readTimeline } from '../orders/timeline.js';
import { actCommand, carryOut, type SignedOptions } from './act-command.js';
import { out, row, say } from './print.js';
import { idOf, orStop, withDatabase } from './shared.js';

/** Orders, causes, audit. */
export function addLook(program: Command): void {
  addOrders(program);
  addCauses(program);
  addAudit(program);
}

function addOrders(program: Command): void {
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

  actCommand(orders, revealDiner, 'reveal <order>').action(async (wanted: string, options: SignedOptions) => {
    await withDatabase(async (database) => {
      const order = await orStop(findOrder(database, wanted));
      out(await carryOut(revealDiner, { database }, { id: order.id }, options));
    });
  });
}

function addCauses(program: Command): void {
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

  for (const [verb, act] of [
    ['know', knowCause],
    ['unknow', forgetCause],
  ] as const)
    actCommand(causesCommand, act, `${verb} <cause>`).action(async (id: string, options: SignedOptions) => {
      await withDatabase((database) => carryOut(act, { database }, { id: idOf('cause', id) }, options));
      say(`cause ${id}: ${verb} done`);
    });
}

function addAudit(program: Command): void {
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
}
