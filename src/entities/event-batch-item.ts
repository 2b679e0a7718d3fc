import { Entity } from 'typeorm';
import { KeyRef, KeyWhole, OptionalInstant, OptionalText, Ref, Whole } from './columns.js';

/** One event of a bulk act, and what became of it. */
@Entity('event_batch_item')
export class EventBatchItem {
  @KeyRef('batch_id') batchId!: string;
  @KeyWhole('position') position!: number;
  @Ref('event_id') eventId!: string;
  /** The event's attempt when it was previewed: an event that has moved since is left alone. */
  @Whole('attempt') attempt!: number;
  @OptionalText('result', 8) result!: 'done' | 'skipped' | null;
  @OptionalText('why', 100) why!: string | null;
  @OptionalInstant('at') at!: Date | null;
}
