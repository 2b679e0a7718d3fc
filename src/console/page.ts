import type { FastifyReply } from 'fastify';
import { type Html, html } from './html.js';
import type { Language } from './locales/languages.js';
import { words } from './locales/words.js';
import { scriptPath } from './script.js';
import type { Visitor } from './session.js';
import { stylePath } from './style.js';

export interface PageOptions {
  readonly title: string;
  /** What people are to see before all else, e.g. that something is paused. */
  readonly banners?: readonly Html[];
  readonly body: Html;
  readonly status?: number;
  /** Seconds after which the script asks whether the page has changed; 0 never. */
  readonly refreshS?: number;
  /** News replace what is shown by themselves; elsewhere they are offered, so that nothing moves under a finger. */
  readonly live?: boolean;
}

export interface Looks {
  readonly visitor: Visitor | null;
  readonly language: Language;
  readonly theme: string | null;
  readonly environment: string;
  readonly prefix: string;
}

/** Nothing from another origin, no inline script or style, no framing. */
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A square in the colour of the environment: production is red. */
const iconOf = (environment: string): string =>
  `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='1' fill='%23${environment === 'production' ? 'a8071a' : '135c2b'}'/%3E%3C/svg%3E`;

export function sendPage(
  reply: FastifyReply,
  { visitor, language, theme, environment, prefix }: Looks,
  options: PageOptions,
): FastifyReply {
  const w = words[language];
  const link = (href: string, text: string): Html => html`<li><a href="${href}">${text}</a></li>`;
  const page = html`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}"${theme ? html` data-theme="${theme}"` : null} data-environment="${environment}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="same-origin">
<title>${options.title} · ${w.product} · ${environment}</title>
<link rel="icon" href="${iconOf(environment)}"><link rel="stylesheet" href="${stylePath}"><script src="${scriptPath}" defer></script>
</head>
<body${options.refreshS ? html` data-refresh="${options.refreshS}"` : null}${options.live && html` data-live="1"`} data-words="${JSON.stringify({ news: w.newRows, paused: w.paused, copy: w.copy, copied: w.copied, help: w.help, keys: w.keys })}">
<a class="hidden" href="#content">${w.skipToContent}</a>
<header>
<a class="product" href="/console/">${w.product}</a> <strong class="environment">${environment}</strong>
${
  visitor &&
  html`<nav aria-label="${w.product}"><ul>
${link('/console/', w.overview)}${link('/console/events', w.events)}${link('/console/orders', w.orders)}${link('/console/causes', w.causes)}${link('/console/schedules', w.schedules)}${link('/console/controls', w.controls)}${link('/console/audit', w.audit)}
</ul></nav>
<form class="search" role="search" action="/console/search"><label class="hidden" for="q">${w.search}</label><input id="q" name="q" type="search" placeholder="${w.searchHelp}" maxlength="128"><button>${w.search}</button></form>`
}
</header>
<div id="live" role="status" aria-live="polite"></div>
<main id="content" tabindex="-1">${(options.banners ?? []).map((banner) => html`<p class="banner">${banner}</p>`)}
<h1>${options.title}</h1>
${options.body}
</main>
<footer>
<form action="/console/preferences" method="post"><button name="language" value="${language === 'zh' ? 'en' : 'zh'}" lang="${language === 'zh' ? 'en' : 'zh-CN'}">${w.language}</button> <button name="theme" value="${theme === 'dark' ? 'light' : 'dark'}">${w.theme}</button></form>
${visitor && html`<form action="/console/sign-out" method="post"><input type="hidden" name="form" value="${visitor.formToken}"><button>${w.signOut} (${visitor.caller.sub}, ${visitor.caller.role})</button></form>`}
<small>Asia/Shanghai</small>
</footer>
</body></html>`;
  return reply
    .code(options.status ?? 200)
    .header('Content-Security-Policy', POLICY)
    .header('Referrer-Policy', 'same-origin')
    .header('X-Frame-Options', 'DENY')
    .type('text/html; charset=utf-8')
    .send(prefix === '' ? page.text : page.text.replaceAll('="/console/', `="${prefix}/console/`)); // quotes in text are escaped: only links begin so
}
