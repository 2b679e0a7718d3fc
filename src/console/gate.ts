import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ASSET_PREFIX } from './assets.js';
import type { ConsoleContext } from './context.js';
import { html } from './html.js';
import { words } from './locales/words.js';
import { pathOf } from './request.js';
import { isOwnForm, isOwnOrigin, languageOf, type Visitor, visitorOf } from './session.js';
import { signInForm } from './sign-in/page.js';
import { isSignedOut } from './sign-outs.js';

export const SIGN_IN = '/console/sign-in';
export const SIGN_OUT = '/console/sign-out';
export const PREFERENCES = '/console/preferences';

/** Nobody has to be signed in for these. */
const isOpen = (path: string): boolean => path === SIGN_IN || path === PREFERENCES;
/** Of a manager: orders, complaints, and the way out. */
const COMPLAINTS = '/console/complaints';
const isOfManagers = (path: string): boolean =>
  path === SIGN_OUT || /^\/console\/(orders|complaints)(\/|$)/.test(path);
const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';

/**
 * The console is closed by default: only the way in is open. A form must come from a page of the session that
 * sends it.
 */
export function closeGate(app: FastifyInstance, context: ConsoleContext): void {
  const { authenticate } = context.options;

  // Decided before the form is read.
  app.addHook('onRequest', async (request, reply) => {
    const path = pathOf(request);
    if (path.startsWith(ASSET_PREFIX)) return;
    const visitor = await visitorOf(request, authenticate, (token) => isSignedOut(context.reading, token));
    if (visitor) context.remember(request, visitor);
    if (!isRead(request) && !isOwnOrigin(request))
      return forbid(request, reply, words[languageOf(request)].crossSite);
    if (isOpen(path)) return;
    if (!visitor) return askToSignIn(request, reply);
    if (!visitor.mayLook && !isOfManagers(path))
      return path === '/console/'
        ? context.redirect(reply, COMPLAINTS)
        : forbid(request, reply, visitor.words.ordersOnly);
    if (!isRead(request) && path !== SIGN_OUT && !mayPost(visitor, path))
      return forbid(request, reply, visitor.words.viewerOnly);
  });

  app.addHook('preHandler', async (request, reply) => {
    const visitor = context.find(request);
    if (request.method !== 'POST' || isOpen(pathOf(request)) || !visitor) return;
    if (!isOwnForm(request, visitor.formToken)) return forbid(request, reply, visitor.words.crossSite);
  });

  /** Complaints are decided by managers, everything else is done by who is on call. */
  function mayPost({ mayAct, mayReview }: Visitor, path: string): boolean {
    return path.startsWith(`${COMPLAINTS}/`) ? mayReview : mayAct;
  }

  /** A page leads to the way in and back again; a form cannot be sent again by a redirect. */
  function askToSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (isRead(request))
      return context.redirect(reply, `${SIGN_IN}?${new URLSearchParams({ to: request.url }).toString()}`);
    const w = words[languageOf(request)];
    return context.send(request, reply, { title: w.signIn, status: 401, body: signInForm(w, '/console/') });
  }

  function forbid(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
    const title = words[languageOf(request)].forbidden;
    return context.send(request, reply, { title, status: 403, body: html`<p>${text}</p>` });
  }
}
