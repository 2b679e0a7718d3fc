import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { checkOwnBooks } from './books/own-books.js';
import { compareWithVendors } from './books/vendor-books.js';
import { toRfc3339 } from './clock.js';
import { listActions, listCauses } from './console/read.js';
import { Database } from './database/database.js';
import { migrate, pendingMigrations, revertLast } from './database/migrate.js';
import { runDoctor } from './doctor.js';
import { BoxOrder } from './entities/box-order.js';
import { eventStatuses } from './entities/outbox-event.js';
import { signToken } from './http/auth.js';
import { day, mealType, shortText } from './http/schemas.js';
import { createLogger } from './logging.js';
import { roles } from './orders/caller.js';
import { readEvent } from './orders/event-story.js';
import { putMenu } from './orders/menu.js';
import { applyRepair, planRepair } from './orders/repair.js';
import { readTimeline } from './orders/timeline.js';
import { eventView } from './orders/view.js';
import { ask } from './outbox/ask.js';
import type { Act } from './outbox/audit.js';
import { type BatchVerb, batchVerbs, executeBatch, previewBatch, RATE_MAX } from './outbox/batch.js';
import { findEvent, findEvents } from './outbox/find.js';
import type { Outbox } from './outbox/outbox.js';
import { activePauses, pause, resume } from './outbox/pause.js';
import { type ActResult, discard, requeue, settleAsDone, settleAsNotDone } from './outbox/requeue.js';
import { why, whySentence } from './outbox/why.js';
import { Problem } from './problems.js';
import { menuBody } from './routes/menus.js';
import { createClients, createOutbox, meicanSettleMs } from './runtime.js';
import { loadSettings, type SettingKey, type Settings, SettingsInvalid } from './settings.js';
import { childTraceparent } from './trace.js';

/** Exit codes: data on standard output, words on standard error. */
const exit = { ok: 0, failed: 1, usage: 2, notFound: 3, conflict: 5 } as const;

class Stop extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

const out = (value: unknown): void => void process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}\n`);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const settingsFor = (...only: SettingKey[]): Settings => loadSettings({ env: process.env, only });

async function withDatabase<T>(work: (database: Database, settings: Settings) => Promise<T>): Promise<T> {
  const settings = settingsFor('DATABASE_URL', 'RETRY_LIMIT');
  const database = await Database.open({ url: settings.DATABASE_URL, poolSize: 2 });
  try {
    return await work(database, settings);
  } finally {
    await database.close();
  }
}

const whole = (value: string): number => {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('a whole number');
  return Number(value);
};
const oneOf =
  <T extends string>(known: readonly T[]) =>
  (value: string): T => {
    const found = known.find((item) => item === value);
    if (!found) throw new InvalidArgumentError(`one of ${known.join(', ')}`);
    return found;
  };

const program = new Command('lunchbox')
  .description('The operator’s command. Settings come from the environment, as for the servers.')
  .enablePositionalOptions() // `books` and `books repair` both take --day
  .exitOverride()
  .showHelpAfterError();

program
  .command('migrate')
  .description('bring the schema up to date')
  .option('--revert', 'undo the newest migration')
  .option('--dry-run', 'only name what would run')
  .action(async (options: { revert?: boolean; dryRun?: boolean }) => {
    await withDatabase(async (database) => {
      if (options.dryRun) return out(await pendingMigrations(database));
      if (options.revert) {
        await revertLast(database);
        return say('the newest migration is undone');
      }
      const ran = await migrate(database);
      say(ran.length > 0 ? `ran ${ran.join(', ')}` : 'nothing to do');
    });
  });

const menuFile = menuBody.extend({ garden: shortText(64), date: day, mealType });
program
  .command('menu')
  .description('menus')
  .command('import <file>')
  .description('make the menus what a JSON file says: one menu, or a list of them')
  .action(async (file: string) => {
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new Stop(exit.usage, `${file}: ${(error as Error).message}`);
    }
    const parsed = z
      .array(menuFile)
      .min(1)
      .safeParse(Array.isArray(content) ? content : [content]);
    if (!parsed.success) throw new Stop(exit.usage, parsed.error.issues.map((issue) => `${file}: ${issue.path.join('.')}: ${issue.message}`).join('\n'));
    await withDatabase(async (database) => {
      for (const { garden, date, mealType: meal, ...input } of parsed.data) {
        await putMenu(database, { garden, date, mealType: meal }, input);
        say(`${garden} ${date} ${meal}: ${input.dishes.length} dishes, ${input.sideboards.length} cabinets`);
      }
    });
  });

program
  .command('token')
  .description('sign a token with AUTH_JWT_SECRET')
  .requiredOption('--sub <user>', 'user id')
  .requiredOption('--role <role>', roles.join(', '), oneOf(roles))
  .option('--email <email>', 'needed to order')
  .option('--name <name>')
  .option('--ttl <seconds>', 'how long it is valid', whole, 86_400)
  .action(async (options: { sub: string; role: (typeof roles)[number]; email?: string; name?: string; ttl: number }) => {
    const { AUTH_JWT_SECRET } = settingsFor('AUTH_JWT_SECRET');
    if (!AUTH_JWT_SECRET) throw new Stop(exit.usage, 'AUTH_JWT_SECRET: missing');
    out(await signToken(AUTH_JWT_SECRET, { ...options, ttlS: options.ttl }));
  });

const events = program.command('events').description('the event table');

events
  .command('list')
  .description('newest first')
  .option('--status <status>', eventStatuses.join(', '), oneOf(eventStatuses))
  .option('--type <type>')
  .option('--order <id>', 'of this order id')
  .option('--limit <n>', 'at most so many', whole, 20)
  .option('--json', 'whole events as JSON')
  .action(async (options: { status?: (typeof eventStatuses)[number]; type?: string; order?: string; limit: number; json?: boolean }) => {
    await withDatabase(async (database, settings) => {
      const rows = await findEvents(database.manager, { status: options.status, type: options.type, subjectId: options.order }, options.limit);
      const views = rows.map((row) => eventView(row, settings.RETRY_LIMIT));
      if (options.json) return out(views);
      for (const { id, type, status, orderNo, failures, failuresMax, lastError, runAt } of views)
        out([id, status, type, orderNo ?? '-', `${failures}/${failuresMax}`, runAt, lastError?.code ?? ''].join('\t'));
    });
  });

events
  .command('show <id>')
  .description('one event and its attempts')
  .action(async (id: string) => {
    await withDatabase(async (database, settings) => {
      const story = /^\d{1,19}$/.test(id) ? await readEvent(database, { failuresMax: () => settings.RETRY_LIMIT }, id) : null;
      if (!story) throw new Stop(exit.notFound, `there is no event ${id}`);
      out(story);
    });
  });

for (const [verb, deed, refusal] of [
  ['requeue', requeue, 'only an errored event can be requeued'],
  ['discard', discard, 'only an errored or waiting event can be discarded'],
] as const) {
  events
    .command(`${verb} <id>`)
    .description(refusal)
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
    .action(async (id: string, options: { reason: string; as: string }) => {
      tell(id, await withDatabase((database) => deed(database, eventId(id), actOf(options))), refusal);
      say(`event ${id}: ${verb} done; a scheduler sees it within seconds`);
    });
}

function actOf({ as: actor, reason }: { as: string; reason?: string }): Act {
  return { actor, role: 'operator', reason: reason?.slice(0, 500) ?? null, requestId: null };
}

function eventId(id: string): string {
  if (!/^\d{1,19}$/.test(id)) throw new Stop(exit.notFound, `there is no event ${id}`);
  return id;
}

function tell(id: string, result: ActResult, refusal: string): void {
  if (result.kind === 'not-found') throw new Stop(exit.notFound, `there is no event ${id}`);
  if (result.kind === 'conflict') throw new Stop(exit.conflict, `event ${id} is ${result.status}: ${refusal}`);
}

/** With everything that carries events out, but nobody who does it. */
async function withOutbox<T>(work: (outbox: Outbox) => Promise<T>): Promise<T> {
  const settings = loadSettings({ env: process.env });
  const clients = createClients(settings);
  const database = await Database.open({ url: settings.DATABASE_URL, poolSize: 2 });
  try {
    return await work(createOutbox(settings, database, clients, createLogger('silent', 'cli')));
  } finally {
    await database.close();
    for (const client of Object.values(clients)) client.close();
  }
}

events
  .command('ask <id>')
  .description('ask the vendor what its books say of this event; the answer is kept in the audit')
  .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
  .option('--json')
  .action(async (id: string, options: { as: string; json?: boolean }) => {
    const asked = await withOutbox(({ database, registry }) => ask(database, registry, eventId(id), actOf(options)));
    if (asked.kind === 'not-found') throw new Stop(exit.notFound, `there is no event ${id}`);
    if (asked.kind === 'no-question') throw new Stop(exit.conflict, `there is no vendor to ask about ${asked.type}`);
    out(options.json ? asked : `${asked.finding.outcome}: ${asked.finding.text}`);
  });

events
  .command('settle <id>')
  .description('state what the vendor did with an errored event')
  .requiredOption('--reason <text>', 'your proof; kept in the audit')
  .option('--done', 'it was done: the event is handled')
  .option('--not-done', 'it was not done (unknown outcomes only): the event is carried out again without asking first')
  .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
  .action(async (id: string, options: { reason: string; done?: boolean; notDone?: boolean; as: string }) => {
    if ((options.done ?? false) === (options.notDone ?? false)) throw new Stop(exit.usage, 'say either --done or --not-done');
    const act = actOf(options);
    const result = await withOutbox(({ database, registry }) =>
      options.done ? settleAsDone(database, registry, eventId(id), act) : settleAsNotDone(database, eventId(id), act),
    );
    tell(id, result, 'only an errored event can be settled by hand, and as not done only one whose outcome is unknown');
    say(`event ${id}: settled as ${options.done ? 'done' : 'not done; a scheduler carries it out again within seconds'}`);
  });

program
  .command('why <event>')
  .description('why an event is where it is, and what happens next')
  .option('--json')
  .action(async (event: string, options: { json?: boolean }) => {
    await withOutbox(async ({ database, registry }) => {
      const found = await findEvent(database.manager, eventId(event));
      if (!found) throw new Stop(exit.notFound, `there is no event ${event}`);
      const answer = await why(database, registry, found);
      out(options.json ? answer : whySentence(answer, (instant) => (instant ? toRfc3339(instant) : 'an unknown time')));
    });
  });

program
  .command('orders')
  .description('orders')
  .command('show <order>')
  .description('everything that happened to an order, by its id or number, oldest first')
  .option('--json')
  .action(async (wanted: string, options: { json?: boolean }) => {
    await withDatabase(async (database) => {
      const order = (await database.manager.findOneBy(BoxOrder, { orderNo: wanted })) ?? (await database.manager.findOneBy(BoxOrder, { id: wanted }));
      if (!order) throw new Stop(exit.notFound, `there is no order ${wanted}`);
      const story = await readTimeline(database, order.id);
      if (options.json) return out(story);
      out([story.order.orderNo, story.order.status, `refund ${story.order.refund}`, story.order.meicanOrderId ?? '-'].join('\t'));
      for (const { at, kind, what, detail } of story.timeline)
        out([at, kind, what, String(detail.eventId ?? ''), String(detail.decision ?? '')].join('\t').trimEnd());
    });
  });

program
  .command('causes')
  .description('failures grouped by their cause, the latest first')
  .option('--json')
  .action(async (options: { json?: boolean }) => {
    await withDatabase(async (database) => {
      const causes = await listCauses(database);
      if (options.json) return out(causes);
      for (const { id, kind, status, eventType, occurrences, lastAt, cause } of causes)
        out([id, status, kind, eventType ?? '-', String(occurrences), lastAt ? toRfc3339(lastAt) : '-', cause].join('\t'));
    });
  });

program
  .command('audit')
  .description('who did what, the latest first')
  .option('--before <id>', 'older than this one')
  .option('--json')
  .action(async (options: { before?: string; json?: boolean }) => {
    await withDatabase(async (database) => {
      const { rows } = await listActions(database, options.before);
      if (options.json) return out(rows);
      for (const { id, at, actor, role, verb, targetType, targetId, reason } of rows)
        out([id, toRfc3339(at), `${actor} (${role})`, verb, `${targetType} ${targetId}`, reason ?? ''].join('\t').trimEnd());
    });
  });

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
  .action(async (options: { type?: string; cause?: string; verb: BatchVerb; rps: number; reason?: string; yes?: boolean; as: string; json?: boolean }) => {
    if (!options.type && !options.cause) throw new Stop(exit.usage, 'name a --type or a --cause: not everything at once');
    if (options.rps < 1 || options.rps > RATE_MAX) throw new Stop(exit.usage, `--rps: 1 to ${RATE_MAX}`);
    if (options.yes && !options.reason) throw new Stop(exit.usage, '--yes needs --reason');
    await withDatabase(async (database) => {
      const act = { ...actOf(options), reason: options.reason?.slice(0, 500) ?? 'a look' };
      const preview = await previewBatch(database, options.verb, { type: options.type, cause: options.cause }, options.rps, act);
      if (options.json && !options.yes) out({ ...preview, token: undefined });
      else for (const { type, cause, count } of preview.groups) out([String(count), type, cause ?? '-'].join('\t'));
      say(`${preview.batch.total} events, about ${preview.expectedS} s${preview.cut ? '; there are more than one batch may hold' : ''}`);
      if (!options.yes) return say('nothing was done; --yes --reason "…" carries it out');
      const result = await executeBatch(database, preview.batch.id, { token: preview.token, count: preview.batch.total, alone: true }, act);
      if (result.kind !== 'done')
        throw new Stop(exit.conflict, `batch ${preview.batch.id} was refused: ${result.kind === 'refused' ? result.why : result.kind}`);
      say(`batch ${preview.batch.id} runs; a scheduler carries it out, the first event alone`);
    });
  });

program
  .command('poll')
  .description('carry out what is due, here and now, then end')
  .requiredOption('--once', 'until nothing is due')
  .option('--json')
  .action(async (options: { json?: boolean }) => {
    await withOutbox(async (outbox) => {
      const counts: Record<string, number> = {};
      outbox.signals.on('attempt-ended', ({ status }) => {
        counts[status] = (counts[status] ?? 0) + 1;
      });
      for (;;) {
        const claimed = await outbox.claimAndStart();
        if (claimed !== 'no-slot' && claimed.rows.length === 0 && outbox.runningCount === 0) break;
        await outbox.oneEnded();
      }
      if (options.json) out(counts);
      else
        say(
          Object.entries(counts)
            .map(([status, count]) => `${count} ${status}`)
            .join(', ') || 'nothing was due',
        );
    });
  });

const scopes = ['type', 'target'] as const;
program
  .command('pause <name>')
  .description('claim nothing of an event type, or of a vendor, for some minutes')
  .requiredOption('--minutes <n>', 'it ends by itself then', whole)
  .requiredOption('--reason <text>', 'why; kept in the audit')
  .option('--scope <scope>', scopes.join(', '), oneOf(scopes), 'type')
  .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
  .action(async (name: string, options: { minutes: number; reason: string; scope: (typeof scopes)[number]; as: string }) => {
    const forMs = Math.max(1, options.minutes) * 60_000;
    const result = await withOutbox(({ database, registry }) =>
      pause(database, registry, { scope: options.scope, name, forMs }, { ...actOf(options), reason: options.reason }),
    );
    if (result.kind === 'not-found') throw new Stop(exit.notFound, `there is no ${options.scope} ${name}`);
    if (result.kind === 'conflict') throw new Stop(exit.conflict, `${name} is paused already`);
    say(`${name} is paused; it goes on by itself in ${options.minutes} minutes`);
  });

program
  .command('resume <name>')
  .description('end a pause before its time')
  .option('--scope <scope>', scopes.join(', '), oneOf(scopes), 'type')
  .option('--reason <text>', 'why; kept in the audit')
  .option('--as <name>', 'who you are; kept in the audit', os.userInfo().username)
  .action(async (name: string, options: { reason?: string; scope: (typeof scopes)[number]; as: string }) => {
    const result = await withDatabase((database) => resume(database, { scope: options.scope, name }, actOf(options)));
    if (result.kind === 'not-found') throw new Stop(exit.notFound, `${name} is not paused`);
    say(`${name} goes on`);
  });

program
  .command('pauses')
  .description('what is paused now')
  .option('--json')
  .action(async (options: { json?: boolean }) => {
    await withDatabase(async (database) => {
      const pauses = await activePauses(database);
      if (options.json) return out(pauses);
      for (const { scope, name, type, untilAt, actor, reason } of pauses) out([scope, name, type, toRfc3339(untilAt), actor, reason].join('\t'));
    });
  });

const booksCommand = program
  .command('books')
  .description('do the books agree? exit 1 if they do not')
  .option('--day <yyyy-MM-dd>', 'only what is eaten on this day')
  .option('--against-vendors', 'compare with Meican and the energy center as well; needs --day')
  .option('--json')
  .action(async (options: { day?: string; againstVendors?: boolean; json?: boolean }) => {
    if (options.day !== undefined && !day.safeParse(options.day).success) throw new Stop(exit.usage, '--day: yyyy-MM-dd');
    if (options.againstVendors && options.day === undefined) throw new Stop(exit.usage, '--against-vendors needs --day: the vendors are asked about one day');
    await withDatabase(async (database) => {
      const own = await checkOwnBooks(database, options.day ?? null);
      const vendors = options.againstVendors && options.day ? await askVendors(database, options.day) : null;
      const guilty = [...own.guilty, ...(vendors?.guilty ?? [])];
      if (options.json) out({ ...own, vendors });
      else {
        for (const { name, expected, actual, difference } of own.sums)
          out(
            `${difference === 0 ? 'agree ' : 'DIFFER'}  ${name}: expected ${expected}, found ${actual}${difference === 0 ? '' : `, difference ${difference}`}`,
          );
        for (const { kind, orderNo, what, eventId } of guilty) out(`GUILTY  ${kind}\t${orderNo ?? '-'}\t${what}${eventId ? ` (event ${eventId})` : ''}`);
        if (vendors) say(`${vendors.compared} orders compared with the vendors, ${vendors.unanswered} questions unanswered`);
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
  .action(async (options: { day: string; apply?: boolean; reason?: string; order?: string[]; as: string; json?: boolean }) => {
    if (!day.safeParse(options.day).success) throw new Stop(exit.usage, '--day: yyyy-MM-dd');
    if (options.apply && !options.reason) throw new Stop(exit.usage, '--apply needs --reason');
    await withDatabase(async (database) => {
      const vendors = await askVendors(database, options.day);
      const plan = planRepair([...(await checkOwnBooks(database, options.day)).guilty, ...vendors.guilty]);
      if (vendors.unanswered > 0) say(`${vendors.unanswered} questions to the vendors got no answer: there may be more to mend`);
      if (plan.length === 0) return say('nothing to mend');
      if (!options.apply) {
        if (options.json) return out(plan);
        for (const { drift, verb, eventType, text, careful } of plan)
          out([verb, eventType ?? '-', drift.orderNo ?? '-', drift.what, `→ ${text}`, careful ? '(look first)' : ''].join('\t').trimEnd());
        return say('a dry run: nothing was changed; --apply --reason "…" carries it out');
      }
      const results = await applyRepair(database, plan, options.order ?? [], actOf(options));
      if (options.json) out(results);
      else
        for (const { remedy, result, eventId: recorded, why } of results)
          out([result, remedy.drift.orderNo ?? '-', recorded ? `event ${recorded}` : '-', why].join('\t'));
    });
  });

async function askVendors(database: Database, of: string) {
  const settings = loadSettings({ env: process.env });
  const { meican, energy, wecom } = createClients(settings);
  try {
    return await compareWithVendors(
      database,
      meican,
      energy,
      { day: of, olderThanMs: meicanSettleMs(settings) },
      { requestId: randomUUID(), traceparent: childTraceparent(null) },
    );
  } finally {
    meican.close();
    energy.close();
    wecom.close();
  }
}

program
  .command('doctor')
  .description('check settings, database, Redis and vendors; changes nothing')
  .option('--json')
  .action(async (options: { json?: boolean }) => {
    const checks = await runDoctor(process.env);
    if (options.json) out(checks);
    else for (const { name, ok, detail, whatToDo } of checks) out(`${ok ? 'ok  ' : 'FAIL'}  ${name}: ${detail}${whatToDo ? `\n      → ${whatToDo}` : ''}`);
    if (checks.some((check) => !check.ok)) throw new Stop(exit.failed, 'not everything is well');
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage;
  else {
    say(
      error instanceof Stop || error instanceof SettingsInvalid || error instanceof Problem
        ? `${error.message}${error instanceof Problem ? `: ${JSON.stringify(error.details.errors ?? '')}` : ''}`
        : `failed: ${(error as Error).message}`,
    );
    process.exitCode = error instanceof Stop ? error.code : error instanceof SettingsInvalid ? exit.usage : exit.failed;
  }
}
