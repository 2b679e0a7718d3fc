import { Entity } from 'typeorm';
import { Id, Instant, Text } from './columns.js';

export const mealTypes = ['BREAKFAST', 'LUNCH', 'DINNER'] as const;
export type MealType = (typeof mealTypes)[number];

/** What one garden (a site of the canteen) offers for one meal of one day. A garden is known once it has a menu. */
@Entity('menu')
export class Menu {
  @Id() id!: string;
  @Text('garden') garden!: string;
  /** `yyyy-MM-dd` in Asia/Shanghai. */
  @Text('edible_date') edibleDate!: string;
  @Text('meal_type') mealType!: MealType;
  /** Meican's name for the company at this site. */
  @Text('corp') corp!: string;
  /** From this instant on nothing is ordered or cancelled. */
  @Instant('cutoff_at') cutoffAt!: Date;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
