const KEYS = 'realName|employeeId|mobile|phone|corpToken|corpsecret|corpSecret|access_token|secret|signature|key|authorization';
const JSON_FIELD = new RegExp(`("(?:${KEYS})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi');
const FORM_FIELD = new RegExp(`((?:^|[?&])(?:${KEYS})=)[^&\\s"]*`, 'gi');
const EMAIL = /([A-Za-z0-9._%+-])[A-Za-z0-9._%+-]*(?:@|%40)([A-Za-z0-9.-]+)/g;
const MOBILE = /\b1[3-9]\d{9}\b/g;

export const SIDE_MAX_BYTES = 16 * 1024;

/** Takes secrets and personal data out of a text that a person will read. `secrets` are the configured ones, wherever they appear. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let out = text;
  for (const secret of secrets) if (secret.length >= 4) out = out.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  return out.replace(JSON_FIELD, '$1"***"').replace(FORM_FIELD, '$1***').replace(EMAIL, '$1***@$2').replace(MOBILE, '1**********');
}

/** At most 16 KiB of UTF-8, cut on a character, and it says so. */
export function limitSide(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= SIDE_MAX_BYTES) return text;
  const note = `… (${bytes.length} bytes in all)`;
  const cut = new TextDecoder('utf-8').decode(bytes.subarray(0, SIDE_MAX_BYTES - Buffer.byteLength(note)));
  return `${cut.replace(/\uFFFD+$/, '')}${note}`;
}
