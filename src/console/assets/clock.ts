import { all, page } from './page.js';

const units = [
  [90, 1, '秒', 's'],
  [5_400, 60, '分钟', 'min'],
  [129_600, 3_600, '小时', 'h'],
  [Number.POSITIVE_INFINITY, 86_400, '天', 'd'],
] as const;

/** Counts relative times on, every second, as parts/text.ts writes them. */
export function tickTimes(isPaused: () => boolean): void {
  setInterval(() => {
    if (document.hidden || isPaused()) return;
    for (const time of all<HTMLTimeElement>('time')) {
      const small = time.querySelector('small');
      if (small) small.textContent = relative(Date.parse(time.dateTime) - Date.now());
    }
  }, 1000);
}

function relative(ms: number): string {
  const amount = lengthOf(ms);
  if (page.isChinese) return `${amount}${ms <= 0 ? '前' : '后'}`;
  return ms <= 0 ? `${amount} ago` : `in ${amount}`;
}

function lengthOf(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const [, size, zh, en] = units.find(([below]) => seconds < below) ?? units[3];
  return `${Math.round(seconds / size)} ${page.isChinese ? zh : en}`;
}
