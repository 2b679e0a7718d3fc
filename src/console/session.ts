import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, may } from '../base/caller.js';
import type { Authenticate } from '../http/auth.js';
import { type Language, languages } from './locales/languages.js';
import { words } from './locales/words.js';
import type { Words } from './locales/zh.js';

/** The token itself, in a cookie that no script can read. The server keeps only which of them were signed out (sign-outs.ts). */
const COOKIE = 'lunchbox_session';

const PREFERENCE_MAX_AGE_S = 365 * 86_400;

const SESSION_MAX_AGE_S = 12 * 3_600;

export interface Visitor {
  readonly caller: Caller;
  readonly mayAct: boolean;
  readonly language: Language;
  readonly words: Words;
  readonly theme: 'light' | 'dark' | null;
  /** Proves that a form came from a page of ours: only who knows the cookie can make it. */
  readonly formToken: string;
}

export function cookiesOf(request: FastifyRequest): Record<string, string> {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return Object.fromEntries(
    pairs.filter(([name]) => name).map(([name = '', ...value]) => [name, value.join('=')]),
  );
}

export function tokenOf(request: FastifyRequest): string | undefined {
  return cookiesOf(request)[COOKIE];
}

/** Who looks, or null when nobody is signed in with a role that may. */
export async function visitorOf(
  request: FastifyRequest,
  authenticate: Authenticate,
  isSignedOut: (token: string) => Promise<boolean>,
): Promise<Visitor | null> {
  const token = tokenOf(request);
  if (!token) return null;
  const caller = await authenticate(`Bearer ${token}`, request.ip).catch(() => null);
  if (!caller || !may(caller.role, 'look') || (await isSignedOut(token))) return null;
  const language = languageOf(request);
  return {
    caller,
    mayAct: may(caller.role, 'act'),
    language,
    words: words[language],
    theme: themeOf(request),
    formToken: formTokenOf(token),
  };
}

export function languageOf(request: FastifyRequest): Language {
  const chosen = languages.find((language) => language === cookiesOf(request).lunchbox_language);
  if (chosen) return chosen;
  const accepted = (request.headers['accept-language'] ?? '').toLowerCase();
  const [zh, en] = [accepted.indexOf('zh'), accepted.indexOf('en')];
  return en >= 0 && (zh < 0 || en < zh) ? 'en' : 'zh';
}

export function themeOf(request: FastifyRequest): 'light' | 'dark' | null {
  const chosen = cookiesOf(request).lunchbox_theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : null;
}

/** `secure`: the cookie never travels without TLS. */
export function signIn(reply: FastifyReply, token: string, secure: boolean): void {
  reply.header(
    'Set-Cookie',
    `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_MAX_AGE_S}${secure ? '; Secure' : ''}`,
  );
}

export function signOut(reply: FastifyReply, secure: boolean): void {
  reply.header(
    'Set-Cookie',
    `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secure ? '; Secure' : ''}`,
  );
}

export function prefer(
  reply: FastifyReply,
  name: 'language' | 'theme',
  value: string,
  secure: boolean,
): void {
  reply.header(
    'Set-Cookie',
    `lunchbox_${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${PREFERENCE_MAX_AGE_S}${secure ? '; Secure' : ''}`,
  );
}

function formTokenOf(token: string): string {
  return createHash('sha256').update(`form:${token}`).digest('hex').slice(0, 32);
}

/** A form that another site sends is refused by what the browser says of its origin, before it is read. */
export function isOwnOrigin(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = request.headers;
  return origin === undefined || sameHost(origin, request.headers.host);
}

/** The form carries what only a page of this session could know. */
export function isOwnForm(request: FastifyRequest, formToken: string): boolean {
  const given = Buffer.from(String((request.body as { form?: unknown } | undefined)?.form ?? ''));
  const wanted = Buffer.from(formToken);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function sameHost(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
