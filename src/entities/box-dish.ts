import { Check, Entity, Index } from 'typeorm';
import { Count, Id, Ref, Text, Whole } from './columns.js';

/** A dish of one menu. `stock` = `remaining` + live orders, always. */
@Entity('box_dish')
@Index('box_dish_of_menu', ['menuId', 'meicanDishId'], { unique: true })
@Check('box_dish_stock', 'remaining >= 0 AND remaining <= stock')
export class BoxDish {
  @Id() id!: string;
  @Ref('menu_id') menuId!: string;
  @Text('meican_dish_id', 64) meicanDishId!: string;
  @Text('name', 200) name!: string;
  @Whole('price_in_cent') priceInCent!: number;
  @Whole('stock') stock!: number;
  @Whole('remaining') remaining!: number;
  /** 1 when a later version of the menu no longer lists it: nothing more is sold, what is sold stays sold. */
  @Count('withdrawn') withdrawn!: number;
}
