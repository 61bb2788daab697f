import type { EntityTarget, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm';
import { utcInstant } from '../projection/utc-instant.ts';
import { LogTimeRow } from '../rows/index.ts';

/** One state of the read models, seen by every query of a transaction. */
export interface Moment {
  readonly runner: QueryRunner;
  /** The log sequence that the answer has seen: of now, or of the time asked about. */
  readonly sequence: number;
  /** Whether that is the live copy's newest state, so that the rows that hold now answer. */
  readonly newest: boolean;
  readonly generation: string;
  /** Why the live copy does not go on. */
  readonly stopped: string | undefined;
}

/** Rows of an entity as they held at the moment. */
export function rowsAt<Row extends ObjectLiteral>(
  moment: Moment,
  entity: EntityTarget<Row>,
  alias: string,
): SelectQueryBuilder<Row> {
  const query = moment.runner.manager.createQueryBuilder(entity, alias);
  return query.where(heldAt(moment, `${alias}.validFrom`, `${alias}.validTo`));
}

/** The condition that a row held at the moment; sequences are numbers of ours, so they stand in the text. */
export function heldAt({ newest, sequence }: Moment, validFrom: string, validTo: string): string {
  return newest
    ? `${validTo} is null`
    : `(${validFrom} <= ${sequence} and (${validTo} is null or ${validTo} > ${sequence}))`;
}

/**
 * The largest sequence whose running maximum of log time is not after the instant: what had happened by then.
 * @param position where the copy stands
 */
export async function sequenceAsOf(runner: QueryRunner, instant: string, position: number): Promise<number> {
  const later = await runner.manager
    .createQueryBuilder(LogTimeRow, 'time')
    .where('time.recordedAt > :instant', { instant: utcInstant(instant) })
    .orderBy('time.recordedAt', 'ASC')
    .limit(1)
    .getOne();
  return later === null ? position : later.sequence - 1;
}
