import { Problem } from '../base/problems.js';

/** Opaque to the caller: the id behind which the next page begins. */
export function encodeCursor(id: string): string {
  return Buffer.from(`v1:${id}`).toString('base64url');
}

export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = /^v1:(\d{1,19})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (!id)
    throw new Problem('invalid-cursor', {
      errors: [{ path: 'querystring.cursor', message: 'not a cursor of ours' }],
    });
  return id;
}

/** `rows` were asked for with one more than `limit`: the extra one tells whether there is a next page. */
export function toPage<R extends { id: string }, V>(
  rows: R[],
  limit: number,
  view: (row: R) => V,
): { data: V[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(view), nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
}

/** Cursors of lists that have an order of their own: opaque all the same. */
export function encodePosition(position: string): string {
  return Buffer.from(`v2:${position}`).toString('base64url');
}

export function decodePosition<T>(
  cursor: string | undefined,
  parse: (position: string) => T | undefined,
): T | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  const found = text.startsWith('v2:') ? parse(text.slice(3)) : undefined;
  if (found === undefined)
    throw new Problem('invalid-cursor', {
      errors: [{ path: 'querystring.cursor', message: 'not a cursor of ours' }],
    });
  return found;
}
