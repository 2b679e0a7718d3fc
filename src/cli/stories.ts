import type { Command } from 'commander';
import { toRfc3339 } from '../base/clock.js';
import type { Database } from '../database/database.js';
import { attemptsSince, type EndedAttempt } from '../operate/tail.js';
import { nobodyReads, outLine, row } from './print.js';
import { oneOf, whole, withDatabase } from './shared.js';

const LOOK_EVERY_MS = 1_000;

interface TailOptions {
  readonly type?: string;
  readonly order?: string;
  readonly errors?: boolean;
  readonly since: number;
  readonly for?: number;
  readonly format: 'text' | 'json';
}

/** Watching what happens. */
export function addStories(program: Command): void {
  program
    .command('tail')
    .description('ends of attempts as they happen, until Ctrl-C')
    .option('--type <type>')
    .option('--order <no>', 'of this order number')
    .option('--errors', 'only those that failed')
    .option('--since <minutes>', 'begin so long ago', whole, 0)
    .option('--for <seconds>', 'end after so long', whole)
    .option('--format <format>', 'text, json', oneOf(['text', 'json'] as const), 'text')
    .action((options: TailOptions) => withDatabase((database) => tail(database, options)));
}

async function tail(database: Database, options: TailOptions): Promise<void> {
  const seen = new Map<string, number>();
  let sinceMs = (await database.now()).getTime() - options.since * 60_000;
  const endMs =
    options.for === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.for * 1_000;
  for (;;) {
    for (const attempt of await attemptsSince(database, new Date(sinceMs))) {
      if (seen.has(keyOf(attempt))) continue;
      const finishedMs = attempt.finishedAt.getTime();
      seen.set(keyOf(attempt), finishedMs);
      sinceMs = Math.max(sinceMs, finishedMs - LOOK_EVERY_MS); // one look's time back: commits overtake each other
      if (isWanted(attempt, options)) show(attempt, options.format);
    }
    for (const [key, atMs] of seen) if (atMs < sinceMs) seen.delete(key);
    if (performance.now() >= endMs || nobodyReads()) return;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_EVERY_MS, endMs - performance.now())));
  }
}

const keyOf = ({ eventId, number }: EndedAttempt): string => `${eventId}.${number}`;

function isWanted({ type, subjectNo, errorCode }: EndedAttempt, options: TailOptions): boolean {
  if (options.type && type !== options.type) return false;
  if (options.order && subjectNo !== options.order) return false;
  return !options.errors || Boolean(errorCode);
}

function show(attempt: EndedAttempt, format: TailOptions['format']): void {
  const finishedAt = toRfc3339(attempt.finishedAt);
  if (format === 'json') {
    outLine({ ...attempt, finishedAt });
    return;
  }
  const { type, subjectNo, outcome, errorCode, decision } = attempt;
  row(
    finishedAt,
    type,
    `#${keyOf(attempt)}`,
    subjectNo ?? '-',
    outcome ?? '-',
    errorCode ?? '-',
    decision ?? '',
  );
}
