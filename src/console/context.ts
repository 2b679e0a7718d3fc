import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { pendingMigrations } from '../database/migrate.js';
import { sql } from '../database/sql.js';
import type { Authenticate } from '../http/auth.js';
import { reason } from '../http/schemas.js';
import type { Act } from '../operate/audit.js';
import { activePauses } from '../operate/pause.js';
import { heartbeats } from '../outbox/heartbeat.js';
import type { Outbox } from '../outbox/outbox.js';
import type { EventDefinition } from '../outbox/types.js';
import { type Html, html } from './html.js';
import { type PageOptions, sendPage } from './page.js';
import { time } from './parts/text.js';
import { languageOf, themeOf, type Visitor } from './session.js';

/** What recurs, given to the console by whoever wires it: it knows no handler by itself. */
export interface Recurring {
  readonly books: {
    readonly definition: EventDefinition<{ day: string; slot: string }>;
    readonly cron: string;
  };
  readonly housekeeping: { readonly definition: EventDefinition<{ slot: string }>; readonly cron: string };
  /** The event that ends an unpaid order. */
  readonly unpaid: { readonly type: string };
}

export interface ConsoleOptions {
  /** Where people's acts are written. */
  readonly database: Database;
  /** Where pages are read from: a small pool of its own, so that looking never takes a connection from orders. */
  readonly reading: Database;
  readonly outbox: Outbox;
  readonly authenticate: Authenticate;
  /** Written on every page, so that production is never taken for a test. */
  readonly environment: string;
  readonly readOnly: boolean;
  /** Cookies travel over TLS only. */
  readonly secureCookies: boolean;
  /** In front of every link, where a proxy serves the console below a path. */
  readonly linkPrefix: string;
  readonly schedulerCron: string;
  readonly recurring: Recurring;
  readonly batchSize: number;
  readonly traceLink: string | undefined;
  readonly logLink: string | undefined;
}

const REFRESH_S = 5;

const SKEW_MAX_MS = 2_000;

const UNSENT_MAX_MS = 5 * 60_000;

const SCHEMA_LOOK_MS = 60_000;

/** What every page needs: who looks, how to answer, what to warn of. */
export class ConsoleContext {
  readonly #visitors = new WeakMap<FastifyRequest, Visitor>();
  #schema: { lookedMs: number; pending: Promise<readonly string[]> } | undefined;

  constructor(readonly options: ConsoleOptions) {}

  get reading(): Database {
    return this.options.reading;
  }

  get database(): Database {
    return this.options.database;
  }

  get outbox(): Outbox {
    return this.options.outbox;
  }

  remember(request: FastifyRequest, visitor: Visitor): void {
    this.#visitors.set(request, visitor);
  }

  find(request: FastifyRequest): Visitor | null {
    return this.#visitors.get(request) ?? null;
  }

  visitor(request: FastifyRequest): Visitor {
    const found = this.find(request);
    if (!found) throw new Problem('unauthorized');
    return found;
  }

  /** Who may act; throws Problem `forbidden` for a viewer. */
  acting(request: FastifyRequest): Visitor {
    const found = this.visitor(request);
    if (!found.mayAct) throw new Problem('forbidden', { detail: found.words.viewerOnly });
    return found;
  }

  act(request: FastifyRequest, reason: string | null): Act {
    const { caller } = this.acting(request);
    return { actor: caller.sub, role: caller.role, requestId: request.id, ip: request.ip, reason };
  }

  /** The reason that the form must give. */
  reasonOf(request: FastifyRequest): string {
    const parsed = reason.safeParse((request.body as { reason?: string } | undefined)?.reason?.trim());
    if (!parsed.success) throw new Problem('validation', { detail: this.visitor(request).words.reason });
    return parsed.data;
  }

  send(request: FastifyRequest, reply: FastifyReply, options: PageOptions): FastifyReply {
    const { environment, linkPrefix: prefix } = this.options;
    return sendPage(
      reply,
      {
        visitor: this.find(request),
        language: languageOf(request),
        theme: themeOf(request),
        environment,
        prefix,
      },
      options,
    );
  }

  async page(
    request: FastifyRequest,
    reply: FastifyReply,
    title: string,
    body: Html,
    more: Partial<PageOptions> = {},
  ): Promise<FastifyReply> {
    const banners = await this.#banners(request).catch(() => []); // a warning that cannot be had must not cost the page
    return this.send(request, reply, { title, body, banners, refreshS: REFRESH_S, ...more });
  }

  redirect(reply: FastifyReply, path: string): FastifyReply {
    return reply.redirect(`${this.options.linkPrefix}${path}`, 303);
  }

  async #banners(request: FastifyRequest): Promise<Html[]> {
    const { words: w, language } = this.visitor(request);
    const database = this.reading;
    const [pauses, processes, now, pending] = await Promise.all([
      activePauses(database),
      heartbeats(database),
      database.now(),
      this.#pendingSchema(),
    ]);
    const shown = [...new Map(pauses.map((one) => [`${one.scope} ${one.name}`, one])).values()];
    const open = processes
      .filter(({ state }) => state === 'alive')
      .flatMap(({ breakers }) => breakers.filter(({ state }) => state !== 'closed'));
    const skewMs = Math.abs(now.getTime() - Date.now());
    const unsent = await database.query<{ id: unknown; first_at: unknown }>(
      sql`SELECT id FROM (SELECT * FROM alert ORDER BY last_at DESC LIMIT 200) AS latest WHERE status = 'open' AND known_at IS NULL AND sent_at IS NULL AND first_at < ${new Date(now.getTime() - UNSENT_MAX_MS)} LIMIT 1`,
    );
    return [
      ...(this.options.readOnly ? [html`${w.readOnly}`] : []),
      ...(pending.length > 0 ? [html`${w.schemaDrift}: ${pending.join(', ')}`] : []),
      ...(skewMs > SKEW_MAX_MS ? [html`${w.clockSkew} ${Math.round(skewMs / 1000)} s`] : []),
      ...(unsent.length > 0 ? [html`<a href="/console/events?type=WECOM_ALERT">${w.alertsFailing}</a>`] : []),
      ...shown.map(
        (one) =>
          html`<a href="/console/controls">${w.pausedBanner}: ${one.name}</a> ${w.until} ${time(one.untilAt, now, language)} ${w.by} ${one.actor}: ${one.reason}`,
      ),
      ...[...new Map(open.map((one) => [one.target, one])).values()].map(
        ({ target, since }) =>
          html`<a href="/console/controls">${w.breakerOpen}: ${target}</a> ${since && time(new Date(since), now, language)}`,
      ),
    ];
  }

  /** Looked up at most once a minute. */
  #pendingSchema(): Promise<readonly string[]> {
    if (!this.#schema || performance.now() - this.#schema.lookedMs > SCHEMA_LOOK_MS)
      this.#schema = {
        lookedMs: performance.now(),
        pending: pendingMigrations(this.reading).catch(() => []),
      };
    return this.#schema.pending;
  }
}

export const optionalId = z
  .string()
  .regex(/^\d{1,19}$/)
  .optional()
  .catch(undefined);

export const optionalText = z.string().max(191).optional().catch(undefined);

/** The query without its empty members: a form sends all its fields. */
export function queryOf(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.query as Record<string, unknown>).flatMap(([name, value]) =>
      typeof value === 'string' && value !== '' ? [[name, value]] : [],
    ),
  );
}

export function paramsOf(request: FastifyRequest): Record<string, string> {
  return request.params as Record<string, string>;
}
