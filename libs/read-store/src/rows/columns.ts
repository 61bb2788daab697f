import { Column, PrimaryColumn, type ColumnOptions, type ValueTransformer } from 'typeorm';

/** PostgreSQL answers bigint as text; everything stored in one fits a double exactly. */
const exactNumber: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};

/** An ISO 8601 instant with milliseconds in the row, a timestamptz in the table. */
const instantText: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: Date | null) => (value === null ? null : value.toISOString()),
};

// Every type is written out, so that rows do not depend on what a compiler emits about a property.
// TypeORM writes into the options it is given, so each column gets an object of its own.
const nullable = (): ColumnOptions => ({ nullable: true });

export const Id = () => PrimaryColumn('text');
export const ValidFrom = () => PrimaryColumn('bigint', { transformer: exactNumber });
export const InstantId = () => PrimaryColumn({ type: 'timestamptz', precision: 3, transformer: instantText });
export const Text = () => Column('text');
export const OptionalText = () => Column('text', nullable());
export const Texts = () => Column('text', { array: true });
export const Flag = () => Column('boolean');
export const Count = () => Column('bigint', { transformer: exactNumber });
export const OptionalCount = () => Column('bigint', { transformer: exactNumber, ...nullable() });
export const Instant = () => Column({ type: 'timestamptz', precision: 3, transformer: instantText });
export const OptionalInstant = () =>
  Column({ type: 'timestamptz', precision: 3, transformer: instantText, ...nullable() });
/** `json`, not `jsonb`: it gives back what the event said to the letter (also `\u0000`), and loads faster. */
export const Json = () => Column('json');
export const OptionalJson = () => Column('json', nullable());
