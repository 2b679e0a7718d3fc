import { Entity } from 'typeorm';
import { Id, Ref, Text, Whole } from './columns.js';

/** A dish of one menu. `stock` = `remaining` + live orders, always. */
@Entity('box_dish')
export class BoxDish {
  @Id() id!: string;
  @Ref('menu_id') menuId!: string;
  @Text('meican_dish_id') meicanDishId!: string;
  @Text('name') name!: string;
  @Whole('price_in_cent') priceInCent!: number;
  @Whole('stock') stock!: number;
  @Whole('remaining') remaining!: number;
  /** 1 when a later version of the menu no longer lists it: nothing more is sold, what is sold stays sold. */
  @Whole('withdrawn') withdrawn!: number;
}
