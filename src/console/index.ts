import { createHash } from 'node:crypto';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import type { Authenticate } from '../http/auth.js';
import { id, shortText } from '../http/schemas.js';
import { readEvent } from '../orders/event-story.js';
import { readTimeline } from '../orders/timeline.js';
import { orderView } from '../orders/view.js';
import { ask } from '../outbox/ask.js';
import type { Act } from '../outbox/audit.js';
import { batchItems, batchVerbs, executeBatch, previewBatch, RATE_MAX, readBatch, stopBatch } from '../outbox/batch.js';
import { heartbeats } from '../outbox/heartbeat.js';
import type { Outbox } from '../outbox/outbox.js';
import { readOverview } from '../outbox/overview.js';
import { activePauses, PAUSE_MAX_MS, pause, resume } from '../outbox/pause.js';
import { discard, requeue, settleAsDone, settleAsNotDone } from '../outbox/requeue.js';
import { why } from '../outbox/why.js';
import { Problem } from '../problems.js';
import { batchPage, bulkForm, previewPage } from './batch.js';
import { eventPage } from './event.js';
import { type Html, html } from './html.js';
import { auditPage, causesPage, controlsPage, eventsPage, ordersPage, searchPage, shades } from './lists.js';
import { orderPage } from './order.js';
import { overviewPage } from './overview.js';
import { type PageOptions, sendPage } from './page.js';
import { countOfCause, listActions, listCauses, listEvents, listOrders, search } from './read.js';
import { script, scriptPath } from './script.js';
import { isOwnForm, languageOf, prefer, signIn, signOut, themeOf, type Visitor, visitorOf } from './session.js';
import { style, stylePath } from './style.js';
import { time } from './text.js';
import { words } from './words.js';

export interface ConsoleOptions {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly authenticate: Authenticate;
  /** Written on every page, so that production is never taken for a test. */
  readonly environment: string;
}

const FORM_MAX_BYTES = 16 * 1024;
const REFRESH_S = 5;
const BATCH_ITEMS_SHOWN = 200;
const optionalId = z
  .string()
  .regex(/^\d{1,19}$/)
  .optional()
  .catch(undefined);
const optionalText = z.string().max(191).optional().catch(undefined);

/** The operators' pages. Everything works without a script; every act is a form, and one function call that the API makes, too. */
export const consoleRoutes: FastifyPluginAsync<ConsoleOptions> = async (app, { database, outbox, authenticate, environment }) => {
  const visitors = new WeakMap<FastifyRequest, Visitor>();
  const visitor = (request: FastifyRequest): Visitor => {
    const found = visitors.get(request);
    if (!found) throw new Problem('unauthorized');
    return found;
  };
  const send = (request: FastifyRequest, reply: FastifyReply, options: PageOptions): FastifyReply =>
    sendPage(reply, visitors.get(request) ?? null, languageOf(request), themeOf(request), environment, options);

  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: FORM_MAX_BYTES }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body as string))),
  );

  // Closed by default: only the way in is open.
  app.addHook('preHandler', async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    if (path.startsWith('/console/assets/')) return;
    const found = await visitorOf(request, authenticate);
    if (found) visitors.set(request, found);
    const open = path === '/console/sign-in' || path === '/console/preferences';
    if (request.method === 'POST' && !isOwnForm(request, open ? null : (found?.formToken ?? null))) {
      return send(request, reply, { title: words[languageOf(request)].forbidden, status: 403, body: html`<p>${words[languageOf(request)].crossSite}</p>` });
    }
    if (open || found) return;
    if (request.method !== 'GET')
      return send(request, reply, { title: words[languageOf(request)].signIn, status: 401, body: signInForm(request, '/console/') });
    return reply.redirect(`/console/sign-in?${new URLSearchParams({ to: request.url }).toString()}`, 303);
  });

  // A page that did not change costs a 304: what only ticks (relative times) is left out of its tag.
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.method !== 'GET' || typeof payload !== 'string' || reply.statusCode !== 200) return payload;
    const tag = `"${createHash('sha256')
      .update(payload.replace(/<small>[^<]*<\/small>/g, ''))
      .digest('hex')
      .slice(0, 16)}"`;
    reply.header('ETag', tag);
    if (request.headers['if-none-match'] !== tag) return payload;
    reply.code(304);
    return '';
  });

  app.setErrorHandler(async (error, request, reply) => {
    const problem = error instanceof Problem ? error : new Problem('internal');
    if (!(error instanceof Problem)) request.log.error({ err: error }, 'a page failed');
    const w = words[languageOf(request)];
    return send(request, reply, {
      title: problem.status === 404 ? w.notFound : String(problem.status),
      status: problem.status,
      body: html`<p>${problem.code}: ${problem.message}</p>`,
    });
  });

  async function banners(request: FastifyRequest): Promise<Html[]> {
    const { words: w, language } = visitor(request);
    const [pauses, processes, now] = await Promise.all([activePauses(database), heartbeats(database), database.now()]);
    const shown = [...new Map(pauses.map((one) => [`${one.scope} ${one.name}`, one])).values()];
    const open = processes.filter(({ lost }) => !lost).flatMap(({ breakers }) => breakers.filter(({ state }) => state !== 'closed'));
    return [
      ...shown.map(
        (one) =>
          html`<a href="/console/controls">${w.pausedBanner}: ${one.name}</a> ${w.until} ${time(one.untilAt, now, language)} ${w.by} ${one.actor}: ${one.reason}`,
      ),
      ...[...new Set(open.map(({ target }) => target))].map((target) => html`${w.breakerOpen}: ${target}`),
    ];
  }

  const page = async (request: FastifyRequest, reply: FastifyReply, title: string, body: Html, more: Partial<PageOptions> = {}): Promise<FastifyReply> =>
    send(request, reply, { title, body, banners: await banners(request), refreshS: REFRESH_S, ...more });

  app.get('/console', async (_request, reply) => reply.redirect('/console/', 303));
  app.get('/console/assets/:file', async (request, reply) => {
    const file = request.url.split('?')[0];
    const found =
      file === stylePath
        ? { type: 'text/css; charset=utf-8', text: style }
        : file === scriptPath
          ? { type: 'text/javascript; charset=utf-8', text: script }
          : null;
    if (!found) throw new Problem('not-found');
    return reply.header('Cache-Control', 'public, max-age=31536000, immutable').type(found.type).send(found.text);
  });

  function signInForm(request: FastifyRequest, to: string, failed = false): Html {
    const w = words[languageOf(request)];
    return html`${failed && html`<p class="note bad" role="alert">${w.signInFailed}</p>`}<form method="post" action="/console/sign-in"><p>${w.signInHelp}</p>
<input type="hidden" name="to" value="${to}"><p><label>${w.token}<br><input name="token" type="password" autocomplete="off" required size="40"></label></p><button class="first">${w.signIn}</button></form>`;
  }

  /** Only a page of ours: never another site. */
  const ownPath = (to: unknown): string => (typeof to === 'string' && /^\/console\/[^\\]*$/.test(to) && !to.startsWith('//') ? to : '/console/');

  app.get('/console/sign-in', async (request, reply) =>
    send(request, reply, { title: words[languageOf(request)].signIn, body: signInForm(request, ownPath((request.query as { to?: string }).to)) }),
  );
  app.post('/console/sign-in', async (request, reply) => {
    const { token = '', to } = (request.body ?? {}) as { token?: string; to?: string };
    const caller = await authenticate(`Bearer ${token.trim()}`).catch(() => null);
    if (!caller || (caller.role !== 'viewer' && caller.role !== 'operator'))
      return send(request, reply, { title: words[languageOf(request)].signIn, status: 401, body: signInForm(request, ownPath(to), true) });
    signIn(reply, token.trim());
    return reply.redirect(ownPath(to), 303);
  });
  app.post('/console/sign-out', async (_request, reply) => {
    signOut(reply);
    return reply.redirect('/console/sign-in', 303);
  });
  app.post('/console/preferences', async (request, reply) => {
    const { language, theme } = (request.body ?? {}) as Record<string, string | undefined>;
    if (language === 'zh' || language === 'en') prefer(reply, 'language', language);
    else if (theme === 'light' || theme === 'dark') prefer(reply, 'theme', theme);
    const from = URL.canParse(request.headers.referer ?? '') ? new URL(request.headers.referer ?? '') : null;
    return reply.redirect(ownPath(from ? `${from.pathname}${from.search}` : undefined), 303);
  });

  app.get('/console/', async (request, reply) => {
    const [overview, processes] = await Promise.all([readOverview(database), heartbeats(database)]);
    return page(request, reply, visitor(request).words.overview, overviewPage(visitor(request), overview, processes));
  });

  app.get('/console/events', async (request, reply) => {
    const filter = z
      .object({ state: z.enum(shades).optional().catch(undefined), type: optionalText, cause: optionalText, beforeId: optionalId })
      .parse(Object.fromEntries(Object.entries(request.query as object).filter(([, value]) => value !== '')));
    const [listed, now] = await Promise.all([listEvents(database, filter), database.now()]);
    const types = outbox.registry.all().map((handler) => handler.definition.type);
    const body = html`${eventsPage(visitor(request), filter, listed, types, now)}${bulkForm(visitor(request), filter)}`;
    return page(request, reply, visitor(request).words.events, body);
  });

  app.get('/console/events/:id', async (request, reply) => page(request, reply, ...(await eventOf(request))));

  async function eventOf(request: FastifyRequest): Promise<[string, Html]> {
    const { id: wanted } = request.params as { id: string };
    const event = id.safeParse(wanted).success ? await database.manager.findOneBy(OutboxEvent, { id: wanted }) : null;
    const story = event ? await readEvent(database, outbox, wanted) : null;
    if (!event || !story) throw new Problem('not-found', { detail: visitor(request).words.notFound });
    const order = event.subjectId ? await database.manager.findOneBy(BoxOrder, { id: event.subjectId }) : null;
    const body = eventPage(visitor(request), {
      event,
      story,
      why: await why(database, outbox.registry, event),
      order: order ? orderView(order) : null,
      sameCause: event.cause ? await countOfCause(database, event.cause) : 0,
      acts: (await listActions(database, undefined, { type: 'event', id: wanted })).rows,
      handler: outbox.registry.find(event.type),
      now: await database.now(),
    });
    return [`${visitor(request).words.events} ${wanted}`, body];
  }

  const deeds = {
    requeue: (of: string, act: Act) => requeue(database, of, act),
    discard: (of: string, act: Act) => discard(database, of, act),
    'settle-done': (of: string, act: Act) => settleAsDone(database, outbox.registry, of, act),
    'settle-not-done': (of: string, act: Act) => settleAsNotDone(database, of, act),
  } as const;

  app.post('/console/events/:id/:act', async (request, reply) => {
    const { id: of, act: verb } = request.params as { id: string; act: string };
    const { caller } = acting(request);
    if (!id.safeParse(of).success) throw new Problem('not-found');
    const who = { actor: caller.sub, role: caller.role, requestId: request.id };
    if (verb === 'ask') {
      const asked = await ask(database, outbox.registry, of, { ...who, reason: null });
      if (asked.kind !== 'asked') throw new Problem(asked.kind === 'not-found' ? 'not-found' : 'event-not-askable');
      return reply.redirect(`/console/events/${of}`, 303);
    }
    const deed = Object.hasOwn(deeds, verb) ? deeds[verb as keyof typeof deeds] : null;
    if (!deed) throw new Problem('not-found');
    const result = await deed(of, { ...who, reason: reasonOf(request) });
    if (result.kind === 'done') return reply.redirect(`/console/events/${of}`, 303);
    if (result.kind === 'not-found') throw new Problem('not-found');
    // Somebody was faster, or the state has moved on: say so, and show what is so now.
    const [title, body] = await eventOf(request);
    return page(request, reply, title, html`<p class="note bad" role="alert">${visitor(request).words.alreadyDone} ${result.status}</p>${body}`, {
      status: 409,
    });
  });

  function acting(request: FastifyRequest): Visitor {
    const found = visitor(request);
    if (!found.mayAct) throw new Problem('forbidden', { detail: found.words.viewerOnly });
    return found;
  }

  function reasonOf(request: FastifyRequest): string {
    const parsed = shortText(500).safeParse((request.body as { reason?: string } | undefined)?.reason?.trim());
    if (!parsed.success) throw new Problem('validation', { detail: visitor(request).words.reason });
    return parsed.data;
  }

  const wantedBatch = z.object({
    verb: z.enum(batchVerbs),
    type: shortText(64).optional(),
    cause: shortText(191).optional(),
    ratePerSecond: z.coerce.number().int().min(1).max(RATE_MAX),
  });
  app.post('/console/batches', async (request, reply) => {
    const { caller } = acting(request);
    const reason = reasonOf(request);
    const parsed = wantedBatch.refine(({ type, cause }) => type !== undefined || cause !== undefined).safeParse(request.body);
    if (!parsed.success) throw new Problem('validation');
    const { verb, type, cause, ratePerSecond } = parsed.data;
    const preview = await previewBatch(database, verb, { type, cause }, ratePerSecond, { actor: caller.sub, role: caller.role, requestId: request.id, reason });
    return page(request, reply, visitor(request).words.preview, previewPage(visitor(request), preview, await database.now()), { refreshS: 0 });
  });
  app.post('/console/batches/:id/:act', async (request, reply) => {
    const { caller } = acting(request);
    const { id: of, act: verb } = request.params as { id: string; act: string };
    const { token = '', count } = (request.body ?? {}) as { token?: string; count?: string };
    const act: Act = { actor: caller.sub, role: caller.role, requestId: request.id, reason: null };
    if (!id.safeParse(of).success || (verb !== 'execute' && verb !== 'stop')) throw new Problem('not-found');
    const result = verb === 'execute' ? await executeBatch(database, of, { token, count: Number(count) }, act) : await stopBatch(database, of, act);
    if (result.kind === 'not-found') throw new Problem('not-found');
    if (result.kind === 'refused') throw new Problem('batch-refused', { detail: result.why });
    return reply.redirect(`/console/batches/${of}`, 303);
  });
  app.get('/console/batches/:id', async (request, reply) => {
    const { id: of } = request.params as { id: string };
    const batch = id.safeParse(of).success ? await readBatch(database, of) : null;
    if (!batch) throw new Problem('not-found', { detail: visitor(request).words.notFound });
    const [items, now] = await Promise.all([batchItems(database, of, 0, BATCH_ITEMS_SHOWN), database.now()]);
    return page(request, reply, `${visitor(request).words.bulk} ${of}`, batchPage(visitor(request), batch, items, now));
  });

  app.get('/console/orders', async (request, reply) => {
    const filter = z
      .object({
        userId: optionalText,
        edibleDate: z
          .string()
          .regex(/^\d{4}-\d\d-\d\d$/)
          .optional()
          .catch(undefined),
        beforeId: optionalId,
      })
      .parse(Object.fromEntries(Object.entries(request.query as object).filter(([, value]) => value !== '')));
    const [listed, now] = await Promise.all([listOrders(database, filter), database.now()]);
    return page(request, reply, visitor(request).words.orders, ordersPage(visitor(request), filter, listed, now));
  });
  app.get('/console/orders/:id', async (request, reply) => {
    const { id: wanted } = request.params as { id: string };
    if (!id.safeParse(wanted).success) throw new Problem('not-found');
    const story = await readTimeline(database, wanted);
    return page(request, reply, `${visitor(request).words.order} ${story.order.orderNo}`, orderPage(visitor(request), story, await database.now()));
  });

  app.get('/console/causes', async (request, reply) => {
    const [causes, now] = await Promise.all([listCauses(database), database.now()]);
    return page(request, reply, visitor(request).words.causes, causesPage(visitor(request), causes, now));
  });

  app.get('/console/audit', async (request, reply) => {
    const beforeId = optionalId.parse((request.query as { beforeId?: string }).beforeId);
    const [listed, now] = await Promise.all([listActions(database, beforeId), database.now()]);
    return page(request, reply, visitor(request).words.audit, auditPage(visitor(request), listed, now));
  });

  app.get('/console/controls', async (request, reply) => {
    const [pauses, now] = await Promise.all([activePauses(database), database.now()]);
    return page(request, reply, visitor(request).words.controls, controlsPage(visitor(request), outbox.registry, pauses, now));
  });
  const scoped = z.object({ scope: z.enum(['type', 'target']), name: z.string().min(1).max(64) });
  app.post('/console/controls/pause', async (request, reply) => {
    const { caller } = acting(request);
    const reason = reasonOf(request);
    const parsed = scoped
      .extend({
        minutes: z.coerce
          .number()
          .int()
          .min(1)
          .max(PAUSE_MAX_MS / 60_000),
      })
      .safeParse(request.body);
    if (!parsed.success) throw new Problem('validation');
    const { scope, name, minutes } = parsed.data;
    const result = await pause(
      database,
      outbox.registry,
      { scope, name, forMs: minutes * 60_000 },
      { actor: caller.sub, role: caller.role, requestId: request.id, reason },
    );
    if (result.kind !== 'done') throw new Problem(result.kind === 'conflict' ? 'already-paused' : 'not-found');
    return reply.redirect('/console/controls', 303);
  });
  app.post('/console/controls/resume', async (request, reply) => {
    const { caller } = acting(request);
    const parsed = scoped.safeParse(request.body);
    if (!parsed.success) throw new Problem('validation');
    const result = await resume(database, parsed.data, { actor: caller.sub, role: caller.role, requestId: request.id, reason: null });
    if (result.kind !== 'done') throw new Problem('not-found');
    return reply.redirect('/console/controls', 303);
  });

  app.get('/console/search', async (request, reply) => {
    const text = String((request.query as { q?: unknown }).q ?? '')
      .trim()
      .slice(0, 128);
    const hits = text === '' ? [] : await search(database, text);
    const [only] = hits;
    if (only && hits.length === 1) return reply.redirect(`/console/${only.kind}s/${only.id}`, 303);
    return page(request, reply, visitor(request).words.search, searchPage(visitor(request), text, hits), { refreshS: 0 });
  });
};
