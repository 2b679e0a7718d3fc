import type { Exchange } from '../../entities/event-attempt.js';
import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';

/** One call to a vendor: what was asked, what came back. `i` counts the calls of an attempt from 0. */
export function exchangeView({ words: w }: Visitor, exchange: Exchange, i: number): Html {
  const { request, answer } = exchange;
  return html`<h3>${i + 1}. ${exchange.call} <small>${Math.round(exchange.durationMs)} ms, ${exchange.outcome} ${exchange.code}</small></h3>
<p>${w.request}: ${request.method} ${request.path}</p>${request.body !== null && html`<pre tabindex="0">${request.body}</pre>`}
<p>${w.answer}: ${answer?.status ?? w.noAnswer}</p>${answer?.body && html`<pre tabindex="0">${answer.body}</pre>`}
<details class="plain"><summary>${w.headers}, curl</summary><pre tabindex="0">${lines(request.headers)}</pre><pre tabindex="0">${lines(answer?.headers)}</pre><p>${w.asCurl}:</p><pre tabindex="0">${curlOf(exchange)}</pre></details>`;
}

function lines(headers: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(headers ?? {})
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

/** The call for a terminal. A secret is a variable that the reader sets. */
function curlOf({ request }: Exchange): string {
  const headers = Object.entries(request.headers ?? {}).map(
    ([name, value]) => ` \\\n  -H ${value === '***' ? variable(name) : quoted(`${name}: ${value}`)}`,
  );
  const body = request.body === null ? '' : ` \\\n  --data-raw ${quoted(request.body)}`;
  return `curl -X ${request.method} "$BASE_URL"${quoted(request.path)}${headers.join('')}${body}`;
}

function variable(header: string): string {
  return `"${header}: $${header.toUpperCase().replace(/[^A-Z0-9]/g, '_')}"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
