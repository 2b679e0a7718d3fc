import type { Hide } from './hide.js';

const KEYS =
  'realName|employeeId|mobile|phone|corpToken|corpsecret|corpSecret|access_token|secret|signature|key|authorization';
// Every pattern is linear in the length of its text: no two neighbouring parts of one match the same character. A value that is cut off ends with the text.
const JSON_FIELD = new RegExp(`("(?:${KEYS})"\\s*:\\s*)"(?:[^"\\\\]|\\\\[^])*(?:"|\\\\?$)`, 'gi');
const FORM_FIELD = new RegExp(`((?:^|[?&])(?:${KEYS})=)[^&\\s"]*`, 'gi');
const MOBILE = /(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)/g;
const MOBILE_ABROAD = /(?<!\d)(?:86|0086)[- ]?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)/g;
/** What stands between the two halves of an e-mail address, as it is and as texts escape it. */
const AT = /@|＠|%(?:25)?40|\\u0040|&#64;/gi;
const LOCAL = /[A-Za-z0-9._%+'-]/;
const DOMAIN = /[A-Za-z0-9.-]/;

export const SIDE_MAX_BYTES = 16 * 1024;
/** What is cut off before matching may begin inside a secret: so much of the end is dropped again afterwards. Longer than any secret but a private key, in any shape. */
const SEAM_CHARACTERS = 1_024;

/** Takes secrets and personal data out of a text that a person will read, in time linear to its length. `secrets` are the configured ones, wherever they appear. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let out = text;
  for (const secret of secrets)
    if (secret.length >= 4) out = out.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  out = out.replace(JSON_FIELD, '$1"***"').replace(FORM_FIELD, '$1***');
  return redactEmails(out).replace(MOBILE_ABROAD, '1**********').replace(MOBILE, '1**********');
}

/**
 * One side of a call for the journal: cut first, so that a large answer costs no more than a small one, then hidden and redacted. At most 16 KiB
 * of UTF-8, and it says what is missing.
 */
export function redactSide(text: string, hide: Hide = (all) => all): string {
  const cut = text.slice(0, SIDE_MAX_BYTES + SEAM_CHARACTERS);
  const redacted = redact(hide(cut));
  if (cut.length === text.length) return limitSide(redacted);
  return limitSide(
    redacted.slice(0, Math.max(0, redacted.length - SEAM_CHARACTERS)),
    Buffer.byteLength(text),
  );
}

/** `a***@example.com`. A walk to both sides of each sign: a pattern would try every character of a long word as its beginning. */
function redactEmails(text: string): string {
  let out = '';
  let done = 0;
  let seen = 0; // no walk to the left passes what an earlier one has passed
  for (const { 0: sign, index } of text.matchAll(AT)) {
    if (index < seen) continue;
    const behind = index + sign.length;
    let start = index;
    while (start > seen && LOCAL.test(text.charAt(start - 1))) start--;
    while (text.charAt(start) === "'") start++;
    let end = behind;
    while (end < text.length && DOMAIN.test(text.charAt(end))) end++;
    seen = end;
    if (start >= index || end === behind) continue;
    out += `${text.slice(done, start + 1)}***@${text.slice(behind, end)}`;
    done = end;
  }
  return out + text.slice(done);
}

/** At most 16 KiB of UTF-8, cut on a character, and it says so. `bytes`: the length of the whole, where the text is a part. */
export function limitSide(text: string, bytes = Buffer.byteLength(text)): string {
  if (bytes <= SIDE_MAX_BYTES) return text;
  const note = `… (${bytes} bytes in all)`;
  const kept = Buffer.from(text.slice(0, SIDE_MAX_BYTES));
  let end = Math.min(SIDE_MAX_BYTES - Buffer.byteLength(note), kept.length);
  while (end > 0 && ((kept[end] ?? 0) & 0xc0) === 0x80) end--; // inside a character
  return `${kept.toString('utf8', 0, end)}${note}`;
}
