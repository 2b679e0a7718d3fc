/** Takes certain texts out of another, wherever and in whatever shape they turn up. */
export type Hide = (text: string) => string;

const HIDDEN = '***';
const SECRET_MIN = 4;
const NAME_MIN = 2;
const BASE64_MIN = 8;

/**
 * Hides `values` as they are, in the other case, encoded for a URL, a form or JSON, and in base64 (alone or amid other bytes). A value that is
 * too short to be told from a part of a word is left.
 */
export function hider(values: Iterable<string>): Hide {
  const shapes = new Set<string>();
  for (const value of values) for (const shape of shapesOf(value)) shapes.add(shape.toLowerCase());
  const longestFirst = [...shapes].sort((a, b) => b.length - a.length);
  return (text) => {
    let out = text;
    let lower = lowerAlike(out);
    for (const shape of longestFirst) {
      if (!lower.includes(shape)) continue;
      out = takeOut(out, lower, shape);
      lower = lowerAlike(out);
    }
    return out;
  };
}

/** Linear in the text, whatever it holds: it comes from outside. */
function takeOut(text: string, lower: string, shape: string): string {
  let out = '';
  let from = 0;
  for (let at = lower.indexOf(shape); at >= 0; at = lower.indexOf(shape, from)) {
    out += text.slice(from, at) + HIDDEN;
    from = at + shape.length;
  }
  return out + text.slice(from);
}

/** In lower case, each character in its place: a few have a longer lower case. */
function lowerAlike(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

function shapesOf(value: string): string[] {
  const least = isAscii(value) ? SECRET_MIN : NAME_MIN;
  if (Array.from(value.trim()).length < least) return [];
  return [
    value,
    encodeURIComponent(toWellFormed(value)),
    new URLSearchParams({ v: value }).toString().slice(2),
    JSON.stringify(value).slice(1, -1),
    ...(isAscii(value) ? [] : [escaped(value)]),
    ...[0, 1, 2].map((before) => base64Amid(value, before)).filter((shape) => shape.length >= BASE64_MIN),
  ].flatMap((shape) =>
    shape.includes('+') || shape.includes('/')
      ? [shape, shape.replaceAll('+', '-').replaceAll('/', '_')]
      : [shape],
  );
}

/** What base64 makes of it behind so many other bytes, without the characters that its neighbours have a part in. */
function base64Amid(value: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
  const whole = Math.floor((bytes.length * 8) / 6);
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), whole);
}

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;
const toWellFormed = (text: string): string => Buffer.from(text).toString();
const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => escapeUnit(text, at)).join('');

function escapeUnit(text: string, at: number): string {
  const unit = text.charCodeAt(at);
  return unit < 128 ? (text[at] as string) : `\\u${unit.toString(16).padStart(4, '0')}`;
}
