import type { Why } from '../../operate/why.js';
import { whySentence } from '../../operate/why-sentence.js';
import type { Language } from '../locales/languages.js';
import { clockTime } from './text.js';

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
