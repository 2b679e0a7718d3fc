/**
 * Characters that a terminal or a reader could take for more than text: control characters, line and paragraph separators, direction marks,
 * characters without width, halves of surrogate pairs.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

const gone = new Set<NodeJS.WriteStream>();

/** One line of text. Every character that is not plain text is written as its escape, so that no reason can move the cursor or forge a line. */
export const printable = (text: string): string =>
  text.replace(ACTING, (sign) => SHORT[sign] ?? escaped(sign));

/** Data, on standard output: a line of text, cells of a table, or JSON. */
export function out(value: unknown): void {
  write(process.stdout, typeof value === 'string' ? printable(value) : asJson(value, 2));
}

/** One line of a table. The text of a cell cannot begin another cell or another line. */
export const row = (...cells: readonly string[]): void =>
  write(process.stdout, cells.map(printable).join('\t').trimEnd());

/** One line of JSON. */
export const outLine = (value: object): void => write(process.stdout, asJson(value));

/** Words for people, on standard error: a line each. */
export function say(text: string): void {
  write(process.stderr, printable(text));
}

/** Lines of our own, such as a help text, which may contain what a person typed. */
export const ownLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** The reader of standard output is gone (`| head -1`): a command that only shows may end. */
export const nobodyReads = (): boolean => gone.has(process.stdout);

/** A reader that goes away is no failure: the command does its work and prints no more. */
export function endQuietly(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      gone.add(stream);
    });
}

function write(stream: NodeJS.WriteStream, text: string): void {
  if (!gone.has(stream)) stream.write(`${text}\n`);
}

/** JSON.stringify escapes the control characters of ASCII; the other acting characters, which only strings can hold, are escaped here. */
function asJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(ACTING, (sign) =>
    sign === '\n' ? sign : escaped(sign),
  );
}

function escaped(sign: string): string {
  return Array.from(
    { length: sign.length },
    (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
}
