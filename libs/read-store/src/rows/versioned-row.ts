import { OptionalCount, ValidFrom } from './columns.ts';

/** A row as it held from one event to another, so that a question about the past is a query. */
export abstract class VersionedRow {
  /** Log sequence of the event that made it so. */
  @ValidFrom() validFrom!: number;
  /** Log sequence of the event that ended it, exclusive; null: it holds now. */
  @OptionalCount() validTo!: number | null;
}

/** What a projector sees of a row: its content. */
export type RowContent<Row extends VersionedRow> = Omit<Row, keyof VersionedRow>;
