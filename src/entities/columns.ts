import { Column, type ColumnOptions, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

/**
 * The column types of all tables, as the migrations made them. test/database/schema.test.ts compares them
 * with a migrated database of each kind. SQLite keeps instants as text and integers of every size as INTEGER.
 */
const asId = {
  from: (value: unknown) => (value === null || value === undefined ? null : String(value)),
  to: (value: unknown) => value,
};
const bigint = { type: 'bigint', unsigned: true, transformer: asId } as const;
/**
 * MariaDB's collation of ids of people, which are compared byte by byte; MySQL calls it `utf8mb4_0900_bin`.
 */
const EXACT = 'utf8mb4_nopad_bin';

/**
 * A 64-bit id: text in the program, because numbers end at 2^53 and drivers differ. The database gives it.
 */
export const Id = (): PropertyDecorator => PrimaryGeneratedColumn('increment', { name: 'id', ...bigint });
export const Ref = (name: string): PropertyDecorator => Column({ name, ...bigint });
export const OptionalRef = (name: string): PropertyDecorator => Column({ name, ...bigint, nullable: true });
/** A part of a composite primary key. */
export const KeyRef = (name: string): PropertyDecorator => PrimaryColumn({ name, ...bigint });
export const KeyWhole = (name: string): PropertyDecorator => PrimaryColumn({ name, type: 'int' });

/** At most `length` characters. */
export const Text = (name: string, length: number): PropertyDecorator =>
  Column({ name, type: 'varchar', length });
export const OptionalText = (name: string, length: number): PropertyDecorator =>
  Column({ name, type: 'varchar', length, nullable: true });
export const KeyText = (name: string, length: number): PropertyDecorator =>
  PrimaryColumn({ name, type: 'varchar', length });
/** Exactly `length` characters. */
export const Chars = (name: string, length: number): PropertyDecorator =>
  Column({ name, type: 'char', length });
export const KeyChars = (name: string, length: number): PropertyDecorator =>
  PrimaryColumn({ name, type: 'char', length });
/** The id of a person: "alice" is not "alice ". */
export const Person = (name: string, length = 128): PropertyDecorator =>
  Column({ name, type: 'varchar', length, collation: EXACT });
export const OptionalPerson = (name: string, length = 128): PropertyDecorator =>
  Column({ name, type: 'varchar', length, collation: EXACT, nullable: true });
/** Up to 64 KiB. */
export const LongText = (name: string): PropertyDecorator => Column({ name, type: 'text' });
export const OptionalLongText = (name: string): PropertyDecorator =>
  Column({ name, type: 'text', nullable: true });
/** Up to 16 MiB. */
export const OptionalHugeText = (name: string): PropertyDecorator =>
  Column({ name, type: 'mediumtext', nullable: true });

export const Whole = (name: string): PropertyDecorator => Column({ name, type: 'int' });
export const OptionalWhole = (name: string): PropertyDecorator =>
  Column({ name, type: 'int', nullable: true });
/** 0 unless something else is written. */
export const Count = (name: string): PropertyDecorator => Column({ name, type: 'int', default: 0 });

const instant = { type: 'datetime', precision: 3 } as const;
/** An instant, UTC, milliseconds. */
export const Instant = (name: string): PropertyDecorator => Column({ name, ...instant });
export const OptionalInstant = (name: string): PropertyDecorator =>
  Column({ name, ...instant, nullable: true });

/** The database computes it, and only its indexes use it: it is neither read nor written. */
const generated = (name: string, asExpression: string, type: ColumnOptions): PropertyDecorator =>
  Column({
    name,
    ...type,
    asExpression,
    generatedType: 'STORED', // an index on a VIRTUAL column is not safe in MariaDB (MDEV-38140)
    nullable: true,
    select: false,
    insert: false,
    update: false,
  });
export const GeneratedText = (name: string, length: number, expression: string): PropertyDecorator =>
  generated(name, expression, { type: 'varchar', length });
export const GeneratedInstant = (name: string, expression: string): PropertyDecorator =>
  generated(name, expression, instant);
