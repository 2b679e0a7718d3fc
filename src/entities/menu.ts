import { Entity, Index } from 'typeorm';
import { Chars, Id, Instant, Text } from './columns.js';

export const mealTypes = ['BREAKFAST', 'LUNCH', 'DINNER'] as const;
export type MealType = (typeof mealTypes)[number];
/** As Meican and our messages call them. */
export const mealNames: Readonly<Record<MealType, string>> = {
  BREAKFAST: '早餐',
  LUNCH: '午餐',
  DINNER: '晚餐',
};

/**
 * What one garden (a site of the canteen) offers for one meal of one day. A garden is known once it has a
 * menu.
 */
@Entity('menu')
@Index('menu_day', ['garden', 'edibleDate', 'mealType'], { unique: true })
export class Menu {
  @Id() id!: string;
  @Text('garden', 64) garden!: string;
  /** `yyyy-MM-dd` in Asia/Shanghai. */
  @Chars('edible_date', 10) edibleDate!: string;
  @Text('meal_type', 16) mealType!: MealType;
  /** Meican's name for the company at this site. */
  @Text('corp', 64) corp!: string;
  /** From this instant on nothing is ordered or cancelled. */
  @Instant('cutoff_at') cutoffAt!: Date;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
