import { createHash } from 'node:crypto';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { isUnavailable } from '../database/errors.js';
import { may } from '../orders/caller.js';
import { Problem } from '../problems.js';
import { ConsoleContext, type ConsoleOptions } from './context.js';
import { type Html, html } from './html.js';
import { batchRoutes } from './routes/batches.js';
import { causeRoutes } from './routes/causes.js';
import { controlRoutes } from './routes/controls.js';
import { eventRoutes } from './routes/events.js';
import { homeRoutes } from './routes/home.js';
import { orderRoutes } from './routes/orders.js';
import { scheduleRoutes } from './routes/schedules.js';
import { script, scriptPath } from './script.js';
import { isOwnForm, languageOf, prefer, signIn, signOut, visitorOf } from './session.js';
import { style, stylePath } from './style.js';
import { words } from './words.js';

export type { ConsoleOptions } from './context.js';

const FORM_MAX_BYTES = 16 * 1024;

/** The operators' pages. Everything works without a script; every act is a form, and one function call that the API makes, too. */
export const consoleRoutes: FastifyPluginAsync<ConsoleOptions> = async (app, options) => {
  const context = new ConsoleContext(options);
  const { authenticate } = options;
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true }; // pages are no part of the API
  });

  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: FORM_MAX_BYTES }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body as string))),
  );

  // Closed by default: only the way in is open.
  app.addHook('preHandler', async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    if (path.startsWith('/console/assets/')) return;
    const w = words[languageOf(request)];
    const found = await visitorOf(request, authenticate);
    if (found) context.remember(request, found);
    const open = path === '/console/sign-in' || path === '/console/preferences';
    if (request.method === 'POST' && !isOwnForm(request, open ? null : (found?.formToken ?? null)))
      return context.send(request, reply, { title: w.forbidden, status: 403, body: html`<p>${w.crossSite}</p>` });
    if (open || found) return;
    if (request.method !== 'GET') return context.send(request, reply, { title: w.signIn, status: 401, body: signInForm(request, '/console/') });
    return context.redirect(reply, `/console/sign-in?${new URLSearchParams({ to: request.url }).toString()}`);
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
    const w = words[languageOf(request)];
    if (!(error instanceof Problem) && isUnavailable(error))
      return context.send(request, reply, { title: w.overview, status: 503, body: html`<p class="note bad" role="alert">${w.queryCut}</p>` });
    const status = (error as { statusCode?: number }).statusCode;
    const problem = error instanceof Problem ? error : status !== undefined && status < 500 ? new Problem('validation') : new Problem('internal');
    if (problem.status >= 500) request.log.error({ err: error }, 'a page failed');
    return context.send(request, reply, {
      title: problem.status === 404 ? w.notFound : String(problem.status),
      status: problem.status,
      body: html`<p>${problem.code}: ${problem.message}</p>`,
    });
  });

  app.get('/console', async (_request, reply) => context.redirect(reply, '/console/'));
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
  const ownPath = (to: unknown): string => {
    const path = typeof to === 'string' && options.linkPrefix !== '' && to.startsWith(`${options.linkPrefix}/`) ? to.slice(options.linkPrefix.length) : to;
    return typeof path === 'string' && /^\/console\/[^\\]*$/.test(path) && !path.startsWith('//') ? path : '/console/';
  };

  app.get('/console/sign-in', async (request, reply) =>
    context.send(request, reply, { title: words[languageOf(request)].signIn, body: signInForm(request, ownPath((request.query as { to?: string }).to)) }),
  );
  app.post('/console/sign-in', async (request, reply) => {
    const { token = '', to } = (request.body ?? {}) as { token?: string; to?: string };
    const caller = await authenticate(`Bearer ${token.trim()}`).catch(() => null);
    if (!caller || !may(caller.role, 'look'))
      return context.send(request, reply, { title: words[languageOf(request)].signIn, status: 401, body: signInForm(request, ownPath(to), true) });
    signIn(reply, token.trim());
    return context.redirect(reply, ownPath(to));
  });
  app.post('/console/sign-out', async (_request, reply) => {
    signOut(reply);
    return context.redirect(reply, '/console/sign-in');
  });
  app.post('/console/preferences', async (request, reply) => {
    const { language, theme } = (request.body ?? {}) as Record<string, string | undefined>;
    if (language === 'zh' || language === 'en') prefer(reply, 'language', language);
    else if (theme === 'light' || theme === 'dark') prefer(reply, 'theme', theme);
    const from = URL.canParse(request.headers.referer ?? '') ? new URL(request.headers.referer ?? '') : null;
    return context.redirect(reply, ownPath(from ? `${from.pathname}${from.search}` : undefined));
  });

  for (const routes of [homeRoutes, eventRoutes, orderRoutes, causeRoutes, scheduleRoutes, controlRoutes, batchRoutes]) routes(app, context);
};
