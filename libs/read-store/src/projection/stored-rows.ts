import type { QueryRunner } from 'typeorm';
import type { ReadModel } from '../projectors/read-models.ts';
import { LogTimeRow } from '../rows/index.ts';

/** A row of the table as a projector takes it. */
export interface StoredRow {
  readonly row: Readonly<Record<string, unknown>>;
  readonly validFrom: number;
}

/** The rows of these ids that hold now, by id. */
export async function openRowsOf(
  runner: QueryRunner,
  model: ReadModel,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, StoredRow>> {
  const rows = await runner.manager
    .createQueryBuilder(model.entity, 'held')
    .where(`held.${model.key} = any(:ids) and held.validTo is null`, { ids: [...ids] })
    .getMany();
  return new Map(
    rows.map((entity) => {
      const { validFrom, validTo: _open, ...row } = entity;
      const content: Readonly<Record<string, unknown>> = row;
      return [content[model.key] as string, { row: content, validFrom }];
    }),
  );
}

/** The stored running maximum of log time; empty when nothing was projected yet. */
export async function latestLogTime(runner: QueryRunner): Promise<string> {
  const latest = await runner.manager
    .createQueryBuilder(LogTimeRow, 'time')
    .orderBy('time.recordedAt', 'DESC')
    .limit(1)
    .getOne();
  return latest?.recordedAt ?? '';
}
