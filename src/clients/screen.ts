import { type Hide, hider } from '../base/hide.js';
import { redact } from '../base/redact.js';
import type { Outcome } from './outcome.js';
import type { CallContext, Request } from './transport.js';

/** A vendor's text is for people: a sentence or two. Characters. */
const MESSAGE_MAX = 300;
/** What is looked at of it: secrets and addresses are taken out before it is cut to its length, so that none is cut in half. Characters. */
const MESSAGE_LOOKED_AT = 4_000;
const CODE = /^[A-Za-z0-9_.:-]{1,60}$/;
/** Nine digits are a telephone's, or a person's: no vendor numbers its answers so. */
const NUMBER_OF_SOMEBODY = /\d{9}/;
/** What a vendor gave for a code that cannot be shown. */
export const UNREADABLE_CODE = 'UNREADABLE_CODE';
/** Control characters, line and paragraph separators, direction marks, characters without width, halves of pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
const PERSONAL = ['realName', 'email', 'mobile', 'phone'];
const SIGNED = ['signature', 'access_token', 'corpsecret', 'key'];

/**
 * What one call must not tell: everything secret in the settings, who it is about, and what proved that the request was ours. The vendor knows
 * all of it, and may repeat it anywhere in its answer.
 */
export function hideOf(secrets: Hide, request: Request, context: CallContext): Hide {
  const known = new Set(context.about ?? []);
  for (const value of sentValues(request)) known.add(value);
  const personal = hider(known);
  return (text) => personal(secrets(text));
}

/** The outcome as it may be kept and shown: the vendor's code within a safe alphabet, its message without secrets, people and control characters. */
export function screen<T>(outcome: Outcome<T>, hide: Hide): Outcome<T> {
  if (outcome.kind === 'applied') return outcome;
  return { ...outcome, code: codeOf(outcome.code, hide), message: messageOf(outcome.message, hide) };
}

function codeOf(code: string, hide: Hide): string {
  if (!CODE.test(code) || NUMBER_OF_SOMEBODY.test(code)) return UNREADABLE_CODE;
  return hide(code) === code && redact(code) === code ? code : UNREADABLE_CODE;
}

function messageOf(message: string, hide: Hide): string {
  const clean = redact(hide(message.slice(0, MESSAGE_LOOKED_AT)))
    .replace(UNSEEN, ' ')
    .trim();
  const characters = Array.from(clean);
  return characters.length <= MESSAGE_MAX ? clean : `${characters.slice(0, MESSAGE_MAX).join('')}…`;
}

/** What the request itself carries of a person, or as a proof: in its query, its headers and its body, a form or JSON. */
function* sentValues({ path, headers, body }: Request): Generator<string> {
  const query = new URLSearchParams(path.split('?')[1] ?? '');
  for (const name of SIGNED) yield* query.getAll(name);
  for (const [name, value] of Object.entries(headers))
    if (/signature|authorization|token/i.test(name)) yield value;
  const fields = fieldsOf(body);
  for (const name of PERSONAL) if (typeof fields[name] === 'string') yield fields[name];
}

function fieldsOf(body: string | null): Record<string, unknown> {
  if (body === null) return {};
  if (!body.startsWith('{')) return Object.fromEntries(new URLSearchParams(body));
  return JSON.parse(body) as Record<string, unknown>; // our own
}
