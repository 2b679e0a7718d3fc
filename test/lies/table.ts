import type { Fault } from '../vendors/fault.js';
import { wordsOf } from './singles.js';
import type { Told } from './story.js';

const COLUMNS = [
  'call',
  'fault',
  'diner hears',
  'meal',
  'cancel',
  'in the end',
  'books',
  'a person is called',
];

export function rowOf({ call, ...kind }: Fault, told: Told): string {
  const books = told.differences.length === 0 ? 'agree' : told.differences.join('; ');
  const cells = [
    call,
    wordsOf({ call, ...kind } as Fault),
    told.heard.join(', '),
    told.meal,
    told.cancelled,
    told.end,
    books,
    told.named,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The text with its table replaced by these rows. */
export function withTable(text: string, rows: readonly string[]): string {
  const start = text.indexOf(`| ${COLUMNS[0]} |`);
  const head = `| ${COLUMNS.join(' | ')} |\n|${'---|'.repeat(COLUMNS.length)}`;
  return `${start < 0 ? text : text.slice(0, start)}${head}\n${rows.join('\n')}\n`;
}

/** The rows without what the diner hears: whether an answer is 201 or 503, 200 or 202, depends on how busy the machine is, and either keeps the promises. */
export function withoutAnswers(text: string): string {
  return text.replaceAll(/^(\|[^|]*\|[^|]*\|)[^|]*\|([^|]*\|)[^|]*\|/gm, '$1$2');
}
