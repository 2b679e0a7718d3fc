import { escapeHtml } from '../base/text.js';
import { type MealType, mealNames } from '../entities/menu.js';
import { type CardWording, cutBytes } from './word.js';

/** Bytes; the description of a card has 512. */
const DISH_MAX = 120;
const CABINET_MAX = 100;

export function wordCabinetCard(
  box: { orderNo: string; dishName: string; edibleDate: string; mealType: MealType; cabinet: string },
  publicUrl: string,
): CardWording {
  const [year, month, day] = box.edibleDate.split('-').map(Number);
  const dish = cutBytes(escapeHtml(box.dishName), DISH_MAX);
  const cabinet = cutBytes(escapeHtml(box.cabinet), CABINET_MAX);
  return {
    title: '餐已入柜',
    description: `<div class="gray">${year}年${month}月${day}日 ${mealNames[box.mealType]}</div><div class="normal">${dish}</div><div class="highlight">请到餐柜 ${cabinet} 取餐。订单号 ${escapeHtml(box.orderNo)}</div>`,
    url: `${publicUrl}/`,
    buttonText: '查看订单',
  };
}
