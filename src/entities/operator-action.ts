import { Entity } from 'typeorm';
import { Id, Instant, OptionalText, Text } from './columns.js';

/** What a person did, written in the transaction that did it. Append-only. */
@Entity('operator_action')
export class OperatorAction {
  @Id() id!: string;
  @Instant('at') at!: Date;
  @Text('actor') actor!: string;
  @Text('role') role!: string;
  @Text('verb') verb!: string;
  @Text('target_type') targetType!: string;
  @Text('target_id') targetId!: string;
  @OptionalText('subject_id') subjectId!: string | null;
  @OptionalText('reason') reason!: string | null;
  @OptionalText('state_before') stateBefore!: string | null;
  @OptionalText('state_after') stateAfter!: string | null;
  @OptionalText('request_id') requestId!: string | null;
  /** Where the request came from; null from the command line. */
  @OptionalText('ip') ip!: string | null;
}
