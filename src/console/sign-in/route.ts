import type { FastifyInstance } from 'fastify';
import { may } from '../../base/caller.js';
import { Problem } from '../../base/problems.js';
import type { ConsoleContext } from '../context.js';
import { PREFERENCES, SIGN_IN, SIGN_OUT } from '../gate.js';
import { languages } from '../locales/languages.js';
import { words } from '../locales/words.js';
import { fieldsOf, queryOf } from '../request.js';
import { languageOf, preferLanguage, preferTheme, signIn, signOut, tokenOf } from '../session.js';
import { isSignedOut, keepSignOut } from '../sign-outs.js';
import { ownPath, ownReferer } from './own-path.js';
import { signInForm } from './page.js';

/** The way in and out, and the two preferences that need no sign-in. */
export function signInRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { authenticate, linkPrefix, secureCookies } = context.options;

  app.get(SIGN_IN, async (request, reply) => {
    const w = words[languageOf(request)];
    const body = signInForm(w, ownPath(queryOf(request).to, linkPrefix));
    return context.send(request, reply, { title: w.signIn, body });
  });

  app.post(SIGN_IN, async (request, reply) => {
    const fields = fieldsOf(request);
    const token = (fields.token ?? '').trim();
    const to = ownPath(fields.to, linkPrefix);
    if (await isGood(token, request.ip)) {
      signIn(reply, token, secureCookies);
      return context.redirect(reply, to);
    }
    const w = words[languageOf(request)];
    const body = signInForm(w, to, true);
    return context.send(request, reply, { title: w.signIn, status: 401, body });
  });

  app.post(SIGN_OUT, async (request, reply) => {
    const token = tokenOf(request);
    if (token && context.find(request)) await keepSignOut(context.database, token);
    signOut(reply, secureCookies);
    return context.redirect(reply, SIGN_IN);
  });

  app.post(PREFERENCES, async (request, reply) => {
    const { language: wanted, theme } = fieldsOf(request);
    const language = languages.find((known) => known === wanted);
    if (language) preferLanguage(reply, language, secureCookies);
    else if (theme === 'light' || theme === 'dark') preferTheme(reply, theme, secureCookies);
    return context.redirect(reply, ownReferer(request.headers.referer, linkPrefix));
  });

  /**
   * The token is valid, its role may look, and it was not signed out. Another error, as an issuer that is
   * away, stays an error.
   */
  async function isGood(token: string, ip: string): Promise<boolean> {
    const caller = await authenticate(`Bearer ${token}`, ip).catch((error: unknown) => {
      if (error instanceof Problem && (error.code === 'unauthorized' || error.code === 'forbidden'))
        return null;
      throw error;
    });
    return (
      caller !== null && may(caller.role, 'look-at-orders') && !(await isSignedOut(context.reading, token))
    );
  }
}
