/** `text`: not blank. `amount`: whole cents, more than 0. `instant`: RFC 3339 with offset. */
export type FieldRule = 'text' | 'amount' | 'instant';

export type Fields = Record<string, unknown>;

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** A JSON object, or null where the body is none. */
export function parseObject(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}

/** The names of the fields that break their rule. */
export function wrongFields(fields: Fields, rules: Readonly<Record<string, FieldRule>>): string[] {
  return Object.entries(rules)
    .filter(([name, rule]) => !keeps(fields[name], rule))
    .map(([name]) => name);
}

function keeps(value: unknown, rule: FieldRule): boolean {
  switch (rule) {
    case 'text':
      return typeof value === 'string' && value.trim() !== '';
    case 'amount':
      return Number.isSafeInteger(value) && Number(value) > 0;
    case 'instant':
      return typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value));
  }
}

/** One text for one content, whatever the order of the members. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value as Fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

export const textOf = (fields: Fields, name: string): string => String(fields[name]);
