import type { Exchange } from '../../outbox/types.js';
import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';

/** One call: what was asked, what came back. */
export function exchangeView(
  { words: w }: Pick<Visitor, 'words' | 'language'>,
  exchange: Exchange,
  i: number,
  heading: 'h3' | 'h4',
): Html {
  const title = html`${i + 1}. ${exchange.call} <small>${Math.round(exchange.durationMs)} ms, ${exchange.outcome} ${exchange.code}</small>`;
  const headersOf = (of: Readonly<Record<string, string>> | undefined): string =>
    Object.entries(of ?? {})
      .map(([name, value]) => `${name}: ${value}\n`)
      .join('');
  return html`${heading === 'h3' ? html`<h3>${title}</h3>` : html`<h4>${title}</h4>`}
<p>${w.request}: ${exchange.request.method} ${exchange.request.path}</p>${exchange.request.body !== null && html`<pre tabindex="0">${exchange.request.body}</pre>`}
<p>${w.answer}: ${exchange.answer?.status ?? w.noAnswer}</p>${exchange.answer?.body && html`<pre tabindex="0">${exchange.answer.body}</pre>`}
<details class="plain"><summary>${w.headers}, curl</summary><pre tabindex="0">${headersOf(exchange.request.headers)}</pre><pre tabindex="0">${headersOf(exchange.answer?.headers)}</pre><p>${w.asCurl}:</p><pre tabindex="0">${curlOf(exchange)}</pre></details>`;
}

/** The call for a terminal. What is secret is a variable to be set. */
function curlOf({ request }: Exchange): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const headers = Object.entries(request.headers ?? {}).map(
    ([name, value]) =>
      ` \\\n  -H ${value === '***' ? `"${name}: $${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}"` : quoted(`${name}: ${value}`)}`,
  );
  return `curl -X ${request.method} "$BASE_URL"${quoted(request.path)}${headers.join('')}${request.body === null ? '' : ` \\\n  --data-raw ${quoted(request.body)}`}`;
}
