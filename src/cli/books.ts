import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { createClients, meicanSettleMs } from '../app/runtime.js';
import { loadSettings } from '../app/settings.js';
import { childTraceparent } from '../base/trace.js';
import type { Database } from '../database/database.js';
import { day } from '../http/schemas.js';
import { type RepairPlan, repairBooks } from '../operate/acts/orders.js';
import type { Drift } from '../reconcile/drift.js';
import { checkOwnBooks, type OwnBooks } from '../reconcile/own-books.js';
import { planRepair, type Remedy } from '../reconcile/repair.js';
import { compareWithVendors, type VendorComparison } from '../reconcile/vendor-books.js';
import { carryOut, type SignedOptions, signed } from './act-command.js';
import { out, row, say } from './print.js';
import { exit, Stop, withDatabase } from './shared.js';

/** A person waits for it; what is not reached by then is said. */
const BUDGET_MS = 10 * 60_000;

async function askVendors(database: Database, wantedDay: string) {
  const settings = loadSettings({ env: process.env });
  const { meican, energy, wecom } = createClients(settings);
  try {
    return await compareWithVendors(
      database,
      meican,
      energy,
      { day: wantedDay, olderThanMs: meicanSettleMs(settings), budgetMs: BUDGET_MS },
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
    .action(compare);

  signed(
    booksCommand
      .command('repair')
      .description('what would mend each difference of one day; with --apply, do it')
      .requiredOption('--day <yyyy-MM-dd>', 'the day whose meals are looked at')
      .option('--apply', 'carry the plan out; needs --reason')
      .option('--reason <text>', 'why; kept in the audit')
      .option('--order <no...>', 'orders whose careful remedies you have looked at'),
  )
    .option('--json')
    .action(repair);
}

async function compare(options: { day?: string; againstVendors?: boolean; json?: boolean }): Promise<void> {
  if (options.day !== undefined && !day.safeParse(options.day).success)
    throw new Stop(exit.usage, '--day: yyyy-MM-dd');
  if (options.againstVendors && options.day === undefined)
    throw new Stop(exit.usage, '--against-vendors needs --day: the vendors are asked about one day');
  await withDatabase(async (database) => {
    const own = await checkOwnBooks(database, options.day ?? null);
    const vendors = options.againstVendors && options.day ? await askVendors(database, options.day) : null;
    const guilty = [...own.guilty, ...(vendors?.guilty ?? [])];
    if (options.json) out({ ...own, vendors });
    else showBooks(own, guilty, vendors);
    if (!own.agree || guilty.length > 0) throw new Stop(exit.failed, 'the books do not agree');
  });
}

function showBooks(own: OwnBooks, guilty: readonly Drift[], vendors: VendorComparison | null): void {
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

interface RepairOptions extends SignedOptions {
  readonly day: string;
  readonly apply?: boolean;
  readonly order?: string[];
  readonly json?: boolean;
}

async function repair(options: RepairOptions): Promise<void> {
  if (!day.safeParse(options.day).success) throw new Stop(exit.usage, '--day: yyyy-MM-dd');
  if (options.apply && !options.reason) throw new Stop(exit.usage, '--apply needs --reason');
  await withDatabase(async (database) => {
    const plan = await planOf(database, options.day);
    if (plan.notReached > 0) say(`${plan.notReached} orders were not reached: there may be more to mend`);
    if (plan.unanswered > 0)
      say(`${plan.unanswered} questions to the vendors got no answer: there may be more to mend`);
    if (plan.remedies.length === 0) return say('nothing to mend');
    if (!options.apply) return showPlan(plan.remedies, options.json);
    const stated = { day: options.day, orderNos: options.order ?? [] };
    const { results } = await carryOut(repairBooks, { database, planOf: async () => plan }, stated, options);
    if (options.json) return out(results);
    for (const { remedy, result, eventId, why } of results)
      row(result, remedy.drift.orderNo ?? '-', eventId ? `event ${eventId}` : '-', why);
  });
}

async function planOf(database: Database, wantedDay: string): Promise<RepairPlan> {
  const vendors = await askVendors(database, wantedDay);
  const own = await checkOwnBooks(database, wantedDay);
  return { ...vendors, remedies: planRepair([...own.guilty, ...vendors.guilty]) };
}

function showPlan(remedies: readonly Remedy[], json = false): void {
  if (json) {
    out(remedies);
    return;
  }
  for (const { drift, verb, eventType, text, careful } of remedies)
    row(verb, eventType ?? '-', drift.orderNo ?? '-', drift.what, `→ ${text}`, careful ? '(look first)' : '');
  say('a dry run: nothing was changed; --apply --reason "…" carries it out');
}
