import { escapeHtml } from '../base/text.js';

/** A piece of HTML whose every value has been escaped. */
export interface Html {
  readonly kind: 'html';
  readonly text: string;
}

type Value = Html | string | number | null | undefined | false | readonly Value[];

/**
 * `html\`<p>${text}</p>\``: text is escaped, Html is taken as it is, lists are joined, null and false are
 * nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return {
    kind: 'html',
    text: strings.reduce((all, string, i) => all + string + (i < values.length ? render(values[i]) : ''), ''),
  };
}

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(render).join('');
  if (typeof value === 'object') return (value as Html).text;
  return escapeHtml(String(value));
}
