import { Entity } from 'typeorm';
import { Id, Ref, Text, Whole } from './columns.js';

/** A cabinet of one menu. `capacity` = `remaining` + live orders, always. */
@Entity('box_sideboard')
export class BoxSideboard {
  @Id() id!: string;
  @Ref('menu_id') menuId!: string;
  @Text('location') location!: string;
  @Text('address_id') addressId!: string;
  @Whole('capacity') capacity!: number;
  @Whole('remaining') remaining!: number;
  /** 1 when a later version of the menu no longer lists it. */
  @Whole('withdrawn') withdrawn!: number;
}
