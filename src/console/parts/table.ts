import { type Html, html } from '../html.js';

/**
 * A table that scrolls sideways by itself on a narrow screen, reachable by keyboard; `label` names it for a
 * screen reader.
 */
export function table(label: string, columns: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>
${rows}</tbody></table></div>`;
}
