import { toRfc3339 } from '../../base/clock.js';
import { LOOK_MAX } from '../../operate/list.js';
import { type Html, html } from '../html.js';
import type { Language } from '../locales/languages.js';

/** `2026-11-23 10:30:05`, in Asia/Shanghai. */
export function clockTime(instant: Date): string {
  return toRfc3339(instant).slice(0, 19).replace('T', ' ');
}

/** Absolute in Asia/Shanghai, relative beside it, UTC on hover. */
export function time(instant: Date | null, now: Date, language: Language): Html {
  if (!instant) return html`—`;
  const iso = instant.toISOString();
  return html`<time datetime="${iso}" title="${iso} (UTC)">${clockTime(instant)} <small>${relative(instant.getTime() - now.getTime(), language)}</small></time>`;
}

/** `3 min ago`, `in 20 s`; never negative. */
export function relative(ms: number, language: Language): string {
  const amount = length(Math.abs(ms), language);
  if (language === 'zh') return ms <= 0 ? `${amount}前` : `${amount}后`;
  return ms <= 0 ? `${amount} ago` : `in ${amount}`;
}

const DAY = { below: Number.POSITIVE_INFINITY, size: 86_400, zh: '天', en: 'd' };
/** In seconds; assets/clock.ts has the same. */
const units = [
  { below: 90, size: 1, zh: '秒', en: 's' },
  { below: 5_400, size: 60, zh: '分钟', en: 'min' },
  { below: 129_600, size: 3_600, zh: '小时', en: 'h' },
  DAY,
];

/** A length of time in its largest unit. */
export function length(ms: number, language: Language): string {
  const seconds = Math.round(ms / 1000);
  const { size, zh, en } = units.find(({ below }) => seconds < below) ?? DAY;
  return `${Math.round(seconds / size)} ${language === 'zh' ? zh : en}`;
}

export function points(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** A count that stops at 10,000 (`10,000+`). */
export function manyText(n: number): string {
  return n > LOOK_MAX ? `${LOOK_MAX.toLocaleString('en')}+` : String(n);
}
