import type { EventType, RecordedEvent } from '@catena/events';
import { CannotApplyError } from './cannot-apply-error.ts';

/** What one event type does to one row of a read model. */
export interface Handler<Row, T extends EventType> {
  /** Id of the row; undefined when the event does not concern this read model. */
  key(event: RecordedEvent<T>): string | undefined;
  /**
   * The row after the event; undefined: there is none any more; the very row that was given: nothing changed.
   * Pure: no clock, no serial, no randomness, so a rebuild gives the same rows.
   * @throws CannotApplyError when the log cannot have come here.
   */
  apply(row: Row | undefined, event: RecordedEvent<T>): Row | undefined;
}

/** One read model as a function of the log. */
export interface Projector<Row> {
  readonly handlers: { readonly [T in EventType]?: Handler<Row, T> };
}

/** An event whose aggregate is the row. */
export function ownRow<Row, T extends EventType>(
  apply: (row: Row | undefined, event: RecordedEvent<T>) => Row | undefined,
): Handler<Row, T> {
  return { key: (event) => event.aggregate.id, apply };
}

/** An event that changes a row which must be there. */
export function existingRow<Row, T extends EventType>(
  apply: (row: Row, event: RecordedEvent<T>) => Row | undefined,
): Handler<Row, T> {
  return ownRow((row, event) => apply(required(row, event), event));
}

/** @throws CannotApplyError when there is no row. */
export function required<Row>(row: Row | undefined, event: RecordedEvent): Row {
  if (row === undefined) {
    throw new CannotApplyError(event, `nothing before it began the ${event.aggregate.type}`);
  }
  return row;
}
