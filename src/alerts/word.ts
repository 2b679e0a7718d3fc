import { escapeHtml } from '../base/text.js';
import { type MealType, mealNames } from '../entities/menu.js';
import type { AlertGroup, Sample } from './group.js';

/** The name of an event type in messages; undefined for an unknown type. */
export type NameOf = (type: string) => string | undefined;

/** The titles of groups that are not about an event type. */
const titleNames: Record<string, string> = {
  meican: '美餐',
  energy: '能量点中心',
  wecom: '企业微信',
  'complaint-refund': '投诉退款',
  scheduler: '调度进程',
};
const stateNames: Record<AlertGroup['kind'], string> = {
  errored: '失败，已停止重试',
  unknown: '结果未知，已停止重试',
  loss: '已退款但美餐拒绝取消（损失一餐）',
  'placements-failing': '十分钟内下单失败超过五笔',
  'vendor-down': '无法连接或没有应答，相关事件等待恢复',
  drift: '账目不一致',
  'poller-silent': '没有调度进程在线，事件无人执行',
  'cannot-learn': '连续多次查询没有结果，无法得知是否成功，仍在继续查询',
  'complaint-waiting': '投诉等待处理过久',
};

export const MARKDOWN_MAX_BYTES = 4096;
const CAUSE_MAX_BYTES = 600;

export function wordAlert(
  group: AlertGroup,
  samples: readonly Sample[],
  publicUrl: string,
  nameOf: NameOf,
): string {
  const type = group.eventType ?? group.title;
  const numbers = [...new Set(samples.map((sample) => sample.subjectNo).filter((no) => no !== null))];
  const newest = samples[0];
  const lines = [
    `**<font color="warning">${titleOf(type, nameOf)}：${stateNames[group.kind]}</font>**`,
    `> 订单：${numbers.map((no) => plain(no)).join('、') || '—'}${group.occurrences > numbers.length ? ` 等，共 ${group.occurrences} 次` : ''}`,
    `> 类型：${typeText(type)}`,
    `> 原因：${cutBytes(plain(group.cause), CAUSE_MAX_BYTES)}`,
    `> 新增：${group.unsent}，自 ${shanghai(group.firstAt)}，最近 ${shanghai(group.lastAt)}`,
    // The first message leads to its event; a digest to the group, from where every event can be reached.
    newest?.eventId && group.sentAt === null
      ? `> [查看事件](${publicUrl}/console/events/${newest.eventId})`
      : `> [查看全部](${publicUrl}/console/causes/${group.id})`,
  ];
  return cutBytes(lines.join('\n'), MARKDOWN_MAX_BYTES);
}

export function wordRecovery(group: AlertGroup, publicUrl: string, nameOf: NameOf): string {
  const type = group.eventType ?? group.title;
  const lines = [
    `**<font color="info">已恢复：${titleOf(type, nameOf)}</font>**`,
    `> 类型：${typeText(type)}`,
    `> 原因：${cutBytes(plain(group.cause), CAUSE_MAX_BYTES)}`,
    `> 共 ${group.occurrences} 次，自 ${shanghai(group.firstAt)}`,
    `> [查看](${publicUrl}/console/causes/${group.id})`,
  ];
  return cutBytes(lines.join('\n'), MARKDOWN_MAX_BYTES);
}

/** Our own constants stay as they are: on-call greps for them. */
function typeText(type: string): string {
  return /^[A-Z0-9_]{1,64}$|^[a-z]{1,20}$/.test(type) ? type : plain(type);
}

function titleOf(type: string, nameOf: NameOf): string {
  return nameOf(type) ?? titleNames[type] ?? plain(type);
}

export interface CardWording {
  readonly title: string;
  readonly description: string;
  readonly url: string;
  readonly buttonText: string;
}

export function wordCard(
  order: { orderNo: string; dishName: string; edibleDate: string; mealType: MealType },
  publicUrl: string,
): CardWording {
  const [year, month, day] = order.edibleDate.split('-').map(Number);
  const dish = cutBytes(escapeHtml(order.dishName), 150);
  return {
    title: '订餐失败',
    description: `<div class="gray">${year}年${month}月${day}日 ${mealNames[order.mealType]}</div><div class="normal">${dish}</div><div class="highlight">未能下单，能量点将自动退回。订单号 ${escapeHtml(order.orderNo)}</div>`,
    url: `${publicUrl}/`,
    buttonText: '重新订餐',
  };
}

/**
 * Text from outside loses every sign that WeCom's markdown would act on: mentions, links, colours, headings,
 * code.
 */
export function plain(text: string): string {
  const wide: Record<string, string> = {
    '<': '＜',
    '>': '＞',
    '[': '［',
    ']': '］',
    '(': '（',
    ')': '）',
    '#': '＃',
    '*': '＊',
    _: '＿',
    '`': '｀',
    '@': '＠',
    '~': '～',
    '|': '｜',
    '\\': '＼',
    '!': '！',
  };
  const oneLine = Array.from(text, (character) =>
    (character.codePointAt(0) ?? 0) < 32 ||
    character === '\u2028' ||
    character === '\u2029' ||
    character === '\u0085'
      ? ' '
      : character,
  ).join('');
  // A bare address would become a link by itself.
  return oneLine
    .replace(/[<>[\]()#*_`@~|\\!]/g, (sign) => wide[sign] ?? ' ')
    .replace(/:\/\//g, '：／／')
    .replace(/www\./gi, 'www．');
}

/** At most so many bytes of UTF-8, cut between characters. */
export function cutBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let bytes = Buffer.byteLength('…');
  let out = '';
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    out += character;
  }
  return `${out}…`;
}

function shanghai(instant: Date): string {
  return new Intl.DateTimeFormat('zh-CN', {
    timeZone: 'Asia/Shanghai',
    dateStyle: 'short',
    timeStyle: 'medium',
    hour12: false,
  }).format(instant);
}
