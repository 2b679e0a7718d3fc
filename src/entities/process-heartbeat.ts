import { Entity } from 'typeorm';
import { Instant, KeyText, LongText, OptionalInstant, OptionalWhole, Text, Whole } from './columns.js';

/** What each process last said of itself. */
@Entity('process_heartbeat')
export class ProcessHeartbeat {
  @KeyText('worker', 100) worker!: string;
  @Text('kind', 16) kind!: string;
  @Text('version', 32) version!: string;
  @Instant('started_at') startedAt!: Date;
  @Instant('seen_at') seenAt!: Date;
  /** When its last sweep of the queue ended, and how long that took. */
  @OptionalInstant('swept_at') sweptAt!: Date | null;
  @OptionalWhole('sweep_ms') sweepMs!: number | null;
  /** Attempts that are under way. */
  @Whole('running') running!: number;
  /** JSON: its breakers. */
  @LongText('breakers') breakers!: string;
  /** When the process stopped in good order. */
  @OptionalInstant('ended_at') endedAt!: Date | null;
}
