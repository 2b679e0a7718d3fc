import { createHash } from 'node:crypto';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { may } from '../base/caller.js';
import { Problem } from '../base/problems.js';
import { isUnavailable } from '../database/errors.js';
import { auditRoutes } from './audit/route.js';
import { batchRoutes } from './batches/route.js';
import { causeRoutes } from './cause/route.js';
import { causesRoutes } from './causes/route.js';
import { ConsoleContext, type ConsoleOptions } from './context.js';
import { controlsRoutes } from './controls/route.js';
import { eventRoutes } from './event/route.js';
import { eventsRoutes } from './events/route.js';
import { type Html, html } from './html.js';
import { words } from './locales/words.js';
import { orderRoutes } from './order/route.js';
import { ordersRoutes } from './orders/route.js';
import { overviewRoutes } from './overview/route.js';
import { runbookRoutes } from './runbooks/route.js';
import { schedulesRoutes } from './schedules/route.js';
import { script, scriptPath } from './script.js';
import { searchRoutes } from './search/route.js';
import {
  isOwnForm,
  isOwnOrigin,
  languageOf,
  prefer,
  signIn,
  signOut,
  tokenOf,
  visitorOf,
} from './session.js';
import { isSignedOut, keepSignOut } from './sign-outs.js';
import { style, stylePath } from './style.js';

export type { ConsoleOptions } from './context.js';

const FORM_MAX_BYTES = 16 * 1024;
const SIGN_OUT = '/console/sign-out';
/** Whoever comes may use these. */
const OPEN = ['/console/sign-in', '/console/preferences'];
/** What may stand in a Location header: ASCII as a URL has it, no backslash. */
const OWN_PATH = /^\/console\/[!-[\]-~]{0,1024}$/;

/** The operators' pages. Everything works without a script; every act is a form, and one function call that the API makes, too. */
export const consoleRoutes: FastifyPluginAsync<ConsoleOptions> = async (app, options) => {
  const context = new ConsoleContext(options);
  const { authenticate } = options;
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true }; // pages are no part of the API
  });

  app.removeAllContentTypeParsers(); // a page sends forms: every member is text
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_MAX_BYTES },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))),
  );

  // Closed by default: only the way in is open. Decided before a form is read; then the form itself must be one of this session's.
  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    if (path.startsWith('/console/assets/')) return;
    const found = await visitorOf(request, authenticate, (token) => isSignedOut(context.reading, token));
    if (found) context.remember(request, found);
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (!reads && !isOwnOrigin(request)) return forbid(request, reply, words[languageOf(request)].crossSite);
    if (OPEN.includes(path)) return;
    if (found)
      return reads || found.mayAct || path === SIGN_OUT
        ? undefined
        : forbid(request, reply, found.words.viewerOnly);
    if (!reads)
      return context.send(request, reply, {
        title: words[languageOf(request)].signIn,
        status: 401,
        body: signInForm(request, '/console/'),
      });
    return context.redirect(reply, `/console/sign-in?${new URLSearchParams({ to: request.url }).toString()}`);
  });
  app.addHook('preHandler', async (request, reply) => {
    const visitor = context.find(request);
    if (request.method !== 'POST' || OPEN.includes(request.url.split('?')[0] ?? '') || !visitor) return;
    if (!isOwnForm(request, visitor.formToken)) return forbid(request, reply, visitor.words.crossSite);
  });

  const forbid = (request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply =>
    context.send(request, reply, {
      title: words[languageOf(request)].forbidden,
      status: 403,
      body: html`<p>${text}</p>`,
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
      return context.send(request, reply, {
        title: w.overview,
        status: 503,
        body: html`<p class="note bad" role="alert">${w.queryCut}</p>`,
      });
    const status = (error as { statusCode?: number }).statusCode;
    const problem = toProblem(error, status);
    if (problem.details.retryAfterS !== undefined)
      reply.header('Retry-After', String(problem.details.retryAfterS));
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
    return reply
      .header('Cache-Control', 'public, max-age=31536000, immutable')
      .type(found.type)
      .send(found.text);
  });

  function signInForm(request: FastifyRequest, to: string, failed = false): Html {
    const w = words[languageOf(request)];
    return html`${failed && html`<p class="note bad" role="alert">${w.signInFailed}</p>`}<form method="post" action="/console/sign-in"><p>${w.signInHelp}</p>
<input type="hidden" name="to" value="${to}"><p><label>${w.token}<br><input name="token" type="password" autocomplete="off" required size="40"></label></p><button class="first">${w.signIn}</button></form>`;
  }

  /** Only a page of ours: never another site. */
  const ownPath = (to: unknown): string => {
    const path =
      typeof to === 'string' && options.linkPrefix !== '' && to.startsWith(`${options.linkPrefix}/`)
        ? to.slice(options.linkPrefix.length)
        : to;
    return typeof path === 'string' && OWN_PATH.test(path) && !path.includes('..') ? path : '/console/';
  };

  app.get('/console/sign-in', async (request, reply) =>
    context.send(request, reply, {
      title: words[languageOf(request)].signIn,
      body: signInForm(request, ownPath((request.query as { to?: string }).to)),
    }),
  );
  app.post('/console/sign-in', async (request, reply) => {
    const { token: given = '', to } = (request.body ?? {}) as { token?: string; to?: string };
    const token = given.trim();
    const caller = await authenticate(`Bearer ${token}`, request.ip).catch((error: unknown) => {
      if (error instanceof Problem && (error.code === 'unauthorized' || error.code === 'forbidden'))
        return null;
      throw error;
    });
    if (!caller || !may(caller.role, 'look') || (await isSignedOut(context.reading, token)))
      return context.send(request, reply, {
        title: words[languageOf(request)].signIn,
        status: 401,
        body: signInForm(request, ownPath(to), true),
      });
    signIn(reply, token, options.secureCookies);
    return context.redirect(reply, ownPath(to));
  });
  app.post(SIGN_OUT, async (request, reply) => {
    const token = tokenOf(request);
    if (token && context.find(request)) await keepSignOut(context.database, token);
    signOut(reply, options.secureCookies);
    return context.redirect(reply, '/console/sign-in');
  });
  app.post('/console/preferences', async (request, reply) => {
    const { language, theme } = (request.body ?? {}) as Record<string, string | undefined>;
    if (language === 'zh' || language === 'en') prefer(reply, 'language', language, options.secureCookies);
    else if (theme === 'light' || theme === 'dark') prefer(reply, 'theme', theme, options.secureCookies);
    const from = URL.canParse(request.headers.referer ?? '') ? new URL(request.headers.referer ?? '') : null;
    return context.redirect(reply, ownPath(from ? `${from.pathname}${from.search}` : undefined));
  });

  for (const routes of [
    overviewRoutes,
    searchRoutes,
    eventsRoutes,
    eventRoutes,
    ordersRoutes,
    orderRoutes,
    causesRoutes,
    causeRoutes,
    runbookRoutes,
    schedulesRoutes,
    controlsRoutes,
    auditRoutes,
    batchRoutes,
  ])
    routes(app, context);
};

function toProblem(error: unknown, status: number | undefined): Problem {
  if (error instanceof Problem) return error;
  if (status === 413) return new Problem('payload-too-large');
  if (status === 415) return new Problem('unsupported-media-type');
  if (error instanceof z.ZodError || (status !== undefined && status < 500)) return new Problem('validation');
  return new Problem('internal');
}
