import { Check, Entity, Index } from 'typeorm';
import { Count, Id, Ref, Text, Whole } from './columns.js';

/** A cabinet of one menu. `capacity` = `remaining` + live orders, always. */
@Entity('box_sideboard')
@Index('box_sideboard_of_menu', ['menuId', 'location'], { unique: true })
@Check('box_sideboard_stock', 'remaining >= 0 AND remaining <= capacity')
export class BoxSideboard {
  @Id() id!: string;
  @Ref('menu_id') menuId!: string;
  @Text('location', 200) location!: string;
  @Text('address_id', 64) addressId!: string;
  @Whole('capacity') capacity!: number;
  @Whole('remaining') remaining!: number;
  /** 1 when a later version of the menu no longer lists it. */
  @Count('withdrawn') withdrawn!: number;
}
