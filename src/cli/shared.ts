import { InvalidArgumentError } from 'commander';
import { createLogger } from '../app/logging.js';
import { createClients, createOutbox } from '../app/runtime.js';
import { loadSettings, type SettingKey, type Settings } from '../app/settings.js';
import { Problem } from '../base/problems.js';
import { redact } from '../base/redact.js';
import { Database } from '../database/database.js';
import { id } from '../http/schemas.js';
import type { Signature } from '../operate/audit.js';
import type { Outbox } from '../outbox/outbox.js';

/** Exit codes: data on standard output, words on standard error. */
export const exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  conflict: 5,
  partly: 6,
} as const;

export class Stop extends Error {
  readonly lines: readonly string[];
  constructor(
    readonly code: number,
    ...lines: readonly string[]
  ) {
    super(lines.join('; '));
    this.lines = lines;
  }
}

export const settingsFor = (...only: SettingKey[]): Settings => loadSettings({ env: process.env, only });

export async function withDatabase<T>(
  work: (database: Database, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = settingsFor('DATABASE_URL', 'RETRY_LIMIT');
  const database = await Database.open({ url: settings.DATABASE_URL, poolSize: 2 });
  try {
    return await work(database, settings);
  } finally {
    await database.close();
  }
}

export const whole = (value: string): number => {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('a whole number');
  return Number(value);
};
export const oneOf =
  <T extends string>(known: readonly T[]) =>
  (value: string): T => {
    const found = known.find((item) => item === value);
    if (!found) throw new InvalidArgumentError(`one of ${known.join(', ')}`);
    return found;
  };

/** Who acts, and why, as the audit keeps it. Whatever looks like a person's address or number is taken out of the reason. */
export function actOf(options: { as: string; reason: string }): Signature & { reason: string };
export function actOf(options: { as: string; reason?: string }): Signature;
export function actOf({ as: actor, reason }: { as: string; reason?: string }): Signature {
  return {
    actor,
    role: 'operator',
    reason: reason === undefined ? null : redact(reason.slice(0, 500)),
    requestId: null,
  };
}

/** A thing that is not there ends the command with its own exit code; every other error is told as it is. */
export function orStop<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof Problem && error.code === 'not-found'
      ? new Stop(exit.notFound, error.message)
      : error;
  });
}

/** Ids follow the rule of the API: whole digits, at most nineteen. Every other text names nothing. */
export function idOf(what: string, given: string): string {
  if (!id.safeParse(given).success) throw new Stop(exit.notFound, `there is no ${what} ${given}`);
  return given;
}
export const eventId = (given: string): string => idOf('event', given);

/** With everything that carries events out, but no loop that does so. */
export async function withOutbox<T>(work: (outbox: Outbox) => Promise<T>): Promise<T> {
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
