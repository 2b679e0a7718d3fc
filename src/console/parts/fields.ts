import { type Html, html } from '../html.js';
import type { Words } from '../locales/zh.js';
import type { Visitor } from '../session.js';

/** Hidden fields: the token of this session, and what the act is about. */
export function hiddenFields(
  { formToken }: Visitor,
  fields: Readonly<Record<string, string | number>> = {},
): Html {
  return html`${Object.entries({ form: formToken, ...fields }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`;
}

export function reasonField(w: Words): Html {
  return html`<label>${w.reason}<br><input name="reason" required maxlength="500"></label>`;
}

/** How long a pause lasts: a day at most. */
export function minutesField(w: Words): Html {
  return html`<label>${w.minutes}<br><input name="minutes" type="number" min="1" max="1440" value="30" required></label>`;
}

export function option(value: string, text: string, chosen: string | undefined): Html {
  return html`<option value="${value}"${value === (chosen ?? '') && html` selected`}>${text}</option>`;
}
