import { Entity, Index } from 'typeorm';
import { Id, Instant, LongText, Person, Text } from './columns.js';

/** A list of the console that a person saved under a name. */
@Entity('console_view')
@Index('console_view_name', ['name'], { unique: true })
export class ConsoleView {
  @Id() id!: string;
  @Text('name', 64) name!: string;
  /** The query of the list's address, without the question mark. */
  @LongText('query') query!: string;
  @Person('actor') actor!: string;
  @Instant('created_at') createdAt!: Date;
}
