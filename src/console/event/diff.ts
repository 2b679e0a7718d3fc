import { diffArrays } from 'diff';

export interface DiffLine {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

const LINES_MAX = 400;

/** Two texts line by line; of long texts the first 400 lines. */
export function diffLines(before: string, after: string): DiffLine[] {
  return diffArrays(firstLines(before), firstLines(after)).flatMap(({ added, removed, value }) =>
    value.map((text): DiffLine => ({ sign: added ? '+' : removed ? '-' : ' ', text })),
  );
}

function firstLines(text: string): string[] {
  return text.split('\n').slice(0, LINES_MAX);
}
