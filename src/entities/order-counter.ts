import { Entity } from 'typeorm';
import { KeyChars, Whole } from './columns.js';

/** The last order number of a day that the database gave out. */
@Entity('order_counter')
export class OrderCounter {
  /** `yyyyMMdd` in Asia/Shanghai. */
  @KeyChars('business_day', 8) businessDay!: string;
  @Whole('seq') seq!: number;
}
