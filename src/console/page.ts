import type { FastifyReply } from 'fastify';
import type { Assets } from './assets.js';
import { type Html, html } from './html.js';
import type { Language } from './locales/languages.js';
import { words } from './locales/words.js';
import type { Words } from './locales/zh.js';
import type { Visitor } from './session.js';

export interface PageOptions {
  readonly title: string;
  /** Warnings above the content, e.g. that something is paused. */
  readonly banners?: readonly Html[];
  readonly body: Html;
  readonly status?: number;
  /** Seconds after which the script asks whether the page has changed; 0 never. */
  readonly refreshS?: number;
  /**
   * New content is shown at once. Elsewhere it is announced in a banner, and the page does not move while you
   * read.
   */
  readonly live?: boolean;
}

export interface Looks {
  readonly visitor: Visitor | null;
  readonly language: Language;
  readonly theme: string | null;
  readonly environment: string;
  /** The path below which a proxy serves the console. */
  readonly prefix: string;
  readonly assets: Assets;
}

/** Nothing from another origin, no inline script or style, no framing. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
} as const;

export function sendPage(reply: FastifyReply, looks: Looks, options: PageOptions): FastifyReply {
  const { text } = wholePage(looks, options);
  return reply
    .code(options.status ?? 200)
    .headers(headers)
    .type('text/html; charset=utf-8')
    .send(withPrefix(text, looks.prefix));
}

/** Quotes in text are escaped, so that only links begin like this. */
function withPrefix(text: string, prefix: string): string {
  return prefix === '' ? text : text.replaceAll('="/console/', `="${prefix}/console/`);
}

function wholePage(looks: Looks, options: PageOptions): Html {
  const { language, theme, environment } = looks;
  return html`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}"${theme && html` data-theme="${theme}"`} data-environment="${environment}">
${head(looks, options.title)}
${body(looks, options)}
</html>`;
}

function head({ language, environment, assets }: Looks, title: string): Html {
  return html`<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="same-origin">
<title>${title} · ${words[language].product} · ${environment}</title>
<link rel="icon" href="${iconOf(environment)}"><link rel="stylesheet" href="${assets.stylePath}"><script src="${assets.scriptPath}" defer></script>
</head>`;
}

/** A square in the colour of the environment: production is red. */
function iconOf(environment: string): string {
  const colour = environment === 'production' ? 'a8071a' : '135c2b';
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='1' fill='%23${colour}'/%3E%3C/svg%3E`;
}

function body(looks: Looks, { title, banners = [], body, refreshS, live }: PageOptions): Html {
  const w = words[looks.language];
  return html`<body${refreshS ? html` data-refresh="${refreshS}"` : null}${live && html` data-live="1"`} data-words="${wordsOfScript(w)}">
<a class="hidden" href="#content">${w.skipToContent}</a>
${header(looks, w)}
<div id="live" role="status" aria-live="polite"></div>
<main id="content" tabindex="-1">${banners.map((banner) => html`<p class="banner">${banner}</p>`)}
<h1>${title}</h1>
${body}
</main>
${footer(looks, w)}
</body>`;
}

/** The words that assets/page.ts reads. */
function wordsOfScript(w: Words): string {
  return JSON.stringify({
    news: w.newRows,
    paused: w.paused,
    copy: w.copy,
    copied: w.copied,
    help: w.help,
    keys: w.keys,
  });
}

function header({ visitor, environment }: Looks, w: Words): Html {
  return html`<header>
<a class="product" href="/console/">${w.product}</a> <strong class="environment">${environment}</strong>
${visitor && navigation(visitor)}
</header>`;
}

function navigation({ words: w, mayLook }: Visitor): Html {
  const link = (href: string, text: string): Html => html`<li><a href="${href}">${text}</a></li>`;
  const orders = html`${link('/console/orders', w.orders)}${link('/console/complaints', w.complaints)}`;
  // A manager has no business with events.
  if (!mayLook)
    return html`<nav aria-label="${w.product}"><ul>
${orders}
</ul></nav>`;
  return html`<nav aria-label="${w.product}"><ul>
${link('/console/', w.overview)}${link('/console/events', w.events)}${orders}${link('/console/causes', w.causes)}${link('/console/schedules', w.schedules)}${link('/console/controls', w.controls)}${link('/console/audit', w.audit)}
</ul></nav>
<form class="search" role="search" action="/console/search"><label class="hidden" for="q">${w.search}</label><input id="q" name="q" type="search" placeholder="${w.searchHelp}" maxlength="128"><button>${w.search}</button></form>`;
}

function footer({ visitor, language, theme }: Looks, w: Words): Html {
  const other = language === 'zh' ? { name: 'en', code: 'en' } : { name: 'zh', code: 'zh-CN' };
  return html`<footer>
<form action="/console/preferences" method="post"><button name="language" value="${other.name}" lang="${other.code}">${w.language}</button> <button name="theme" value="${theme === 'dark' ? 'light' : 'dark'}">${w.theme}</button></form>
${visitor && html`<form action="/console/sign-out" method="post"><input type="hidden" name="form" value="${visitor.formToken}"><button>${w.signOut} (${visitor.caller.sub}, ${visitor.caller.role})</button></form>`}
<small>Asia/Shanghai</small>
</footer>`;
}
