import { randomUUID } from 'node:crypto';
import os from 'node:os';
import type { Command } from 'commander';
import { createClients, meicanSettleMs } from '../app/runtime.js';
import { loadSettings } from '../app/settings.js';
import { childTraceparent } from '../base/trace.js';
import type { Database } from '../database/database.js';
import { day } from '../http/schemas.js';
import { checkOwnBooks } from '../reconcile/own-books.js';
import { applyRepair, planRepair } from '../reconcile/repair.js';
import { compareWithVendors } from '../reconcile/vendor-books.js';
import { out, row, say } from './print.js';
import { actOf, exit, Stop, withDatabase } from './shared.js';

/** A person waits for it; what is not reached by then is said. */
const BUDGET_MS = 10 * 60_000;

async function askVendors(database: Database, of: string) {
  const settings = loadSettings({ env: process.env });
  const { meican, energy, wecom } = createClients(settings);
  try {
    return await compareWithVendors(
      database,
      meican,
      energy,
      { day: of, olderThanMs: meicanSettleMs(settings), budgetMs: BUDGET_MS },
      { requestId: randomUUID(), traceparent: childTraceparent(null) },
    );
  } finally {
    meican.close();
    energy.close();
    wecom.close();
  }
}

/** The books: do they agree, and what would mend them. */
export function addBooks(program: Command): void {
  const booksCommand = program
    .command('books')
    .description('do the books agree? exit 1 if they do not')
    .option('--day <yyyy-MM-dd>', 'only what is eaten on this day')
    .option('--against-vendors', 'compare with Meican and the energy center as well; needs --day')
    .option('--json')
    .action(async (options: { day?: string; againstVendors?: boolean; json?: boolean }) => {
      if (options.day !== undefined && !day.safeParse(options.day).success)
        throw new Stop(exit.usage, '--day: yyyy-MM-dd');
      if (options.againstVendors && options.day === undefined)
        throw new Stop(exit.usage, '--against-vendors needs --day: the vendors are asked about one day');
      await withDatabase(async (database) => {
        const own = await checkOwnBooks(database, options.day ?? null);
        const vendors =
          options.againstVendors && options.day ? await askVendors(database, options.day) : null;
        const guilty = [...own.guilty, ...(vendors?.guilty ?? [])];
        if (options.json) out({ ...own, vendors });
        else {
          for (const { name, expected, actual, difference } of own.sums)
            out(
              `${difference === 0 ? 'agree ' : 'DIFFER'}  ${name}: expected ${expected}, found ${actual}${difference === 0 ? '' : `, difference ${difference}`}`,
            );
          for (const { kind, orderNo, what, eventId } of guilty)
            row(`GUILTY  ${kind}`, orderNo ?? '-', `${what}${eventId ? ` (event ${eventId})` : ''}`);
          if (vendors)
            say(
              `${vendors.compared} orders compared with the vendors, ${vendors.notReached} not reached, ${vendors.unanswered} questions unanswered`,
            );
          if (own.pending > 0) say(`${own.pending} events are pending: differences may be on their way home`);
        }
        if (!own.agree || guilty.length > 0) throw new Stop(exit.failed, 'the books do not agree');
      });
    });

  booksCommand
    .command('repair')
    .description('what would mend each difference of one day; with --apply, do it')
    .requiredOption('--day <yyyy-MM-dd>', 'the day whose meals are looked at')
    .option('--apply', 'carry the plan out; needs --reason')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--order <no...>', 'orders whose careful remedies you have looked at')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .option('--json')
    .action(
      async (options: {
        day: string;
        apply?: boolean;
        reason?: string;
        order?: string[];
        as: string;
        json?: boolean;
      }) => {
        if (!day.safeParse(options.day).success) throw new Stop(exit.usage, '--day: yyyy-MM-dd');
        if (options.apply && !options.reason) throw new Stop(exit.usage, '--apply needs --reason');
        await withDatabase(async (database) => {
          const vendors = await askVendors(database, options.day);
          const plan = planRepair([
            ...(await checkOwnBooks(database, options.day)).guilty,
            ...vendors.guilty,
          ]);
          if (vendors.notReached > 0)
            say(`${vendors.notReached} orders were not reached: there may be more to mend`);
          if (vendors.unanswered > 0)
            say(`${vendors.unanswered} questions to the vendors got no answer: there may be more to mend`);
          if (plan.length === 0) return say('nothing to mend');
          if (!options.apply) {
            if (options.json) return out(plan);
            for (const { drift, verb, eventType, text, careful } of plan)
              row(
                verb,
                eventType ?? '-',
                drift.orderNo ?? '-',
                drift.what,
                `→ ${text}`,
                careful ? '(look first)' : '',
              );
            return say('a dry run: nothing was changed; --apply --reason "…" carries it out');
          }
          const results = await applyRepair(database, plan, options.order ?? [], actOf(options));
          if (options.json) out(results);
          else
            for (const { remedy, result, eventId: recorded, why } of results)
              row(result, remedy.drift.orderNo ?? '-', recorded ? `event ${recorded}` : '-', why);
        });
      },
    );
}
