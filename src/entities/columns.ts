import { Column, type ColumnOptions, PrimaryColumn } from 'typeorm';

const asId = {
  from: (value: unknown) => (value === null || value === undefined ? null : String(value)),
  to: (value: unknown) => value,
};

/** A 64-bit id: text in the program, because numbers end at 2^53 and drivers differ. */
export const Id = (): PropertyDecorator =>
  PrimaryColumn({ name: 'id', type: 'bigint', transformer: asId, generated: 'increment' } as never);
export const Ref = (name: string): PropertyDecorator => Column({ name, type: 'bigint', transformer: asId });
export const Text = (name: string, more: ColumnOptions = {}): PropertyDecorator =>
  Column({ name, type: 'varchar', ...more });
export const OptionalText = (name: string): PropertyDecorator =>
  Column({ name, type: 'varchar', nullable: true });
export const Whole = (name: string): PropertyDecorator => Column({ name, type: 'int' });
/** An instant, UTC, milliseconds. */
export const Instant = (name: string): PropertyDecorator => Column({ name, type: 'datetime', precision: 3 });
export const OptionalInstant = (name: string): PropertyDecorator =>
  Column({ name, type: 'datetime', precision: 3, nullable: true });
