import type { KeyObject } from 'node:crypto';
import { rsaSign, rsaVerify } from './payer-keys.js';
import { parseJson } from './transport.js';

/** All fields but those named, sorted, `k=v` joined by `&`: what Alipay signs, and has signed. */
export function signedText(fields: Readonly<Record<string, string>>, without: readonly string[]): string {
  return Object.keys(fields)
    .filter((name) => !without.includes(name))
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('&');
}

export function signForm(key: KeyObject, fields: Readonly<Record<string, string>>): string {
  return rsaSign(key, signedText(fields, ['sign']));
}

/** The member of that name if Alipay signed it, its text exactly as it stands in the answer; null where nothing proves it. */
export function provenMember(key: KeyObject, text: string, name: string): string | null {
  const members = membersOf(text);
  if (!members) return null;
  const [member, sign] = [members.get(name) ?? members.get('error_response'), members.get('sign')];
  if (member === undefined || sign === undefined) return null;
  const signature = parseJson(sign);
  if (typeof signature !== 'string') return null;
  return rsaVerify(key, Buffer.from(member), signature) ? member : null;
}

/** Each top-level member of a JSON object with its text; null for what is no object, or names a member twice. One walk over the text. */
function membersOf(text: string): Map<string, string> | null {
  const found = new Map<string, string>();
  let at = skip(text, 0);
  if (text[at] !== '{') return null;
  at = skip(text, at + 1);
  while (text[at] === '"') {
    const nameEnd = endOfString(text, at);
    const colon = skip(text, nameEnd);
    if (nameEnd < 0 || text[colon] !== ':') return null;
    const start = skip(text, colon + 1);
    const end = endOfValue(text, start);
    const name = text.slice(at + 1, nameEnd - 1);
    if (end < 0 || found.has(name)) return null;
    found.set(name, text.slice(start, end).trimEnd());
    at = skip(text, end);
    if (text[at] === '}') return skip(text, at + 1) === text.length ? found : null;
    if (text[at] !== ',') return null;
    at = skip(text, at + 1);
  }
  return null;
}

function skip(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return at;
}

/** Behind the closing quote of the string that begins here; -1 where it does not end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

/** Behind the value that begins here: at the comma or brace that follows it. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') {
      at = endOfString(text, at) - 1;
      if (at < 0) return -1;
    } else if (sign === '{' || sign === '[') depth++;
    else if ((sign === '}' || sign === ',') && depth === 0) return at;
    else if (sign === '}' || sign === ']') depth--;
  }
  return -1;
}

const SHANGHAI_OFFSET_MS = 8 * 3_600_000;

/** `yyyy-MM-dd HH:mm:ss` in China. */
export const chinaTime = (atMs: number): string =>
  new Date(atMs + SHANGHAI_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

export function instantOfChina(text: string | undefined): Date | null {
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text ?? '')) return null;
  const at = new Date(`${text?.replace(' ', 'T')}+08:00`);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** Yuan with two decimals. */
export function yuanOf(cents: number): string {
  const digits = String(cents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Whole cents; null for what is no amount in yuan. */
export function centsOf(yuan: string): number | null {
  const found = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(yuan);
  return found ? Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0')) : null;
}
