import { Entity } from 'typeorm';
import { Instant, KeyWhole, Text } from './columns.js';

/** The one row that tells this database from every other. */
@Entity('installation')
export class Installation {
  /** Always 1. */
  @KeyWhole('one') one!: number;
  @Text('identity', 36) identity!: string;
  @Instant('named_at') namedAt!: Date;
}
