import { toRfc3339 } from '../base/clock.js';
import { type Why, whySentence } from '../operate/why.js';
import { type Html, html } from './html.js';
import type { Language } from './words.js';

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

/** A length of time in its largest unit. */
export function length(ms: number, language: Language): string {
  const seconds = Math.round(ms / 1000);
  const [count, zh, en] =
    seconds < 90
      ? [seconds, '秒', 's']
      : seconds < 5_400
        ? [Math.round(seconds / 60), '分钟', 'min']
        : seconds < 129_600
          ? [Math.round(seconds / 3_600), '小时', 'h']
          : [Math.round(seconds / 86_400), '天', 'd'];
  return language === 'zh' ? `${count} ${zh}` : `${count} ${en}`;
}

export function points(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** Why an event is where it is, and what happens next. */
export function whyText(language: Language, given: Why): string {
  const at = (instant: Date | null): string =>
    instant ? clockTime(instant) : language === 'zh' ? '未知时间' : 'an unknown time';
  if (language === 'en') return whySentence(given, at);
  const { reason } = given;
  switch (reason.code) {
    case 'handled':
      return `已于 ${at(reason.at)} 完成，不会再做什么。`;
    case 'discarded':
      return `已于 ${at(reason.at)} 由人放弃，不会再做什么。`;
    case 'errored':
      return reason.unknown
        ? `失败 ${reason.failures} 次后于 ${at(reason.at)} 停止，没人知道对方是否已做。等待处理：先查询对方，再确认结果或重新执行。`
        : `失败 ${reason.failures} 次后于 ${at(reason.at)} 停止。等待处理：重新执行或放弃。`;
    case 'running':
      return `${reason.worker} 正在执行，租约到 ${at(reason.leaseUntil)}。`;
    case 'lease-over':
      return `${reason.worker} 持有到 ${at(reason.leaseUntil)}，之后没有消息。下一次轮询会接手。`;
    case 'blocked':
      return `排在事件 ${reason.byId}（${reason.byType}）之后：同一个订单的事件按记录顺序执行。`;
    case 'paused':
      return `${reason.name} 被 ${reason.actor} 暂停到 ${at(reason.until)}：${reason.reason}。到时自动继续。`;
    case 'vendor-down':
      return `${reason.target} 连不上${reason.since ? `（自 ${at(reason.since)}）` : ''}。最多每分钟试探一次，恢复后继续。`;
    case 'no-handler':
      return `没有进程认识类型 ${reason.type} 第 ${reason.version} 版，留给更新的进程。`;
    case 'not-due':
      return `要到 ${at(reason.until)} 才执行（${reason.after === 'failure' ? '上次失败，到时重试' : reason.after === 'question' ? '上次查询没有结果，到时再查，不计失败' : reason.after === 'snooze' ? '推迟，不计失败' : '记录时就定在那时'}）。`;
    case 'no-scheduler':
      return `自 ${at(reason.since)} 起就该执行，但没有调度进程在线。`;
    case 'due':
      return `自 ${at(reason.since)} 起到期，下一次轮询执行。`;
  }
}
