import { Entity, Index } from 'typeorm';
import { Id, Instant, OptionalLongText, OptionalText, Person, Text } from './columns.js';

/** What a person did, written in the transaction that did it. Append-only. */
@Entity('operator_action')
@Index('operator_action_target', ['targetType', 'targetId'])
@Index('operator_action_subject', ['subjectId'])
export class OperatorAction {
  @Id() id!: string;
  @Instant('at') at!: Date;
  @Person('actor') actor!: string;
  @Text('role', 16) role!: string;
  @Text('verb', 32) verb!: string;
  @Text('target_type', 16) targetType!: string;
  @Text('target_id', 64) targetId!: string;
  @OptionalText('subject_id', 64) subjectId!: string | null;
  @OptionalText('reason', 500) reason!: string | null;
  @OptionalLongText('state_before') stateBefore!: string | null;
  @OptionalLongText('state_after') stateAfter!: string | null;
  @OptionalText('request_id', 64) requestId!: string | null;
  /** Where the request came from; null from the command line. */
  @OptionalText('ip', 45) ip!: string | null;
}
