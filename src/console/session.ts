import { createHash, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, may } from '../base/caller.js';
import type { Authenticate } from '../http/auth.js';
import { type Language, languages } from './locales/languages.js';
import { words } from './locales/words.js';
import type { Words } from './locales/zh.js';

/** Holds the token itself. The server keeps only which tokens were signed out (sign-outs.ts). */
const SESSION = 'lunchbox_session';
const LANGUAGE = 'lunchbox_language';
const THEME = 'lunchbox_theme';
const SESSION_MAX_AGE_S = 12 * 3_600;
const PREFERENCE_MAX_AGE_S = 365 * 86_400;

export interface Visitor {
  readonly caller: Caller;
  /** Everything; who may not sees orders and complaints alone. */
  readonly mayLook: boolean;
  readonly mayAct: boolean;
  /** Decide about complaints. */
  readonly mayReview: boolean;
  readonly language: Language;
  readonly words: Words;
  readonly theme: 'light' | 'dark' | null;
  /**
   * Proves that a form came from a page of this session: it is a hash of the cookie, which other sites cannot
   * read.
   */
  readonly formToken: string;
}

/** Who looks, or null when nobody is signed in with a role that may look. */
export async function visitorOf(
  request: FastifyRequest,
  authenticate: Authenticate,
  isSignedOut: (token: string) => Promise<boolean>,
): Promise<Visitor | null> {
  const token = tokenOf(request);
  if (!token) return null;
  const caller = await authenticate(`Bearer ${token}`, request.ip).catch(() => null);
  if (!caller || !may(caller.role, 'look-at-orders') || (await isSignedOut(token))) return null;
  const language = languageOf(request);
  return {
    caller,
    mayLook: may(caller.role, 'look'),
    mayAct: may(caller.role, 'act'),
    mayReview: may(caller.role, 'review'),
    language,
    words: words[language],
    theme: themeOf(request),
    formToken: formTokenOf(token),
  };
}

export function tokenOf(request: FastifyRequest): string | undefined {
  return cookiesOf(request)[SESSION];
}

/** The visitor's choice, else what the browser accepts first, else Chinese. */
export function languageOf(request: FastifyRequest): Language {
  const chosen = languages.find((language) => language === cookiesOf(request)[LANGUAGE]);
  if (chosen) return chosen;
  const accepted = (request.headers['accept-language'] ?? '').toLowerCase();
  const [zh, en] = [accepted.indexOf('zh'), accepted.indexOf('en')];
  return en >= 0 && (zh < 0 || en < zh) ? 'en' : 'zh';
}

export function themeOf(request: FastifyRequest): 'light' | 'dark' | null {
  const chosen = cookiesOf(request)[THEME];
  return chosen === 'light' || chosen === 'dark' ? chosen : null;
}

function cookiesOf(request: FastifyRequest): Record<string, string | undefined> {
  return parseCookie(request.headers.cookie ?? '');
}

/** `secure`: the cookie never travels without TLS. */
export function signIn(reply: FastifyReply, token: string, secure: boolean): void {
  setCookie(reply, { name: SESSION, value: token, maxAge: SESSION_MAX_AGE_S, secure });
}

export function signOut(reply: FastifyReply, secure: boolean): void {
  setCookie(reply, { name: SESSION, value: '', maxAge: 0, secure });
}

export function preferLanguage(reply: FastifyReply, language: Language, secure: boolean): void {
  setCookie(reply, { name: LANGUAGE, value: language, maxAge: PREFERENCE_MAX_AGE_S, secure });
}

export function preferTheme(reply: FastifyReply, theme: 'light' | 'dark', secure: boolean): void {
  setCookie(reply, { name: THEME, value: theme, maxAge: PREFERENCE_MAX_AGE_S, secure });
}

/** No script can read it, and other sites cannot send it with a form. `maxAge` in seconds. */
function setCookie(
  reply: FastifyReply,
  cookie: { name: string; value: string; maxAge: number; secure: boolean },
): void {
  reply.header('Set-Cookie', stringifySetCookie({ ...cookie, path: '/', httpOnly: true, sameSite: 'lax' }));
}

function formTokenOf(token: string): string {
  return createHash('sha256').update(`form:${token}`).digest('hex').slice(0, 32);
}

/** Refuses a form of another site by what the browser says of its origin, before the form is read. */
export function isOwnOrigin(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = request.headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

/** Whether the form carries the token of this session. */
export function isOwnForm(request: FastifyRequest, formToken: string): boolean {
  const given = Buffer.from(String((request.body as { form?: unknown } | undefined)?.form ?? ''));
  const wanted = Buffer.from(formToken);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
