import {
  BackupRow,
  ChainRow,
  CollectionRow,
  DefinitionRow,
  RepositoryKeyRow,
  RunPlanRow,
  RunRow,
  ScheduleRow,
  type RowContent,
  type VersionedRow,
} from '../rows/index.ts';
import { backups } from './backups.ts';
import { chains } from './chains.ts';
import { collections } from './collections.ts';
import { definitions } from './definitions.ts';
import type { Projector } from './projector.ts';
import { repositoryKeys } from './repository-keys.ts';
import { runPlans, runs } from './runs.ts';
import { schedules } from './schedules.ts';

/**
 * Grows with every change of a table or a projector that gives other rows for the same log. A catalog that finds an
 * older copy rebuilds it; one that finds a newer copy leaves it alone.
 */
export const READ_MODEL_VERSION = 5;

/** One table and the function that fills it. */
export interface ReadModel<Row = Record<string, unknown>> {
  /** Name of the table. */
  readonly name: string;
  readonly entity: new () => VersionedRow;
  /** Property that holds the row's id. */
  readonly key: string;
  readonly projector: Projector<Row>;
}

function readModel<E extends VersionedRow>(
  name: string,
  entity: new () => E,
  key: keyof RowContent<E> & string,
  projector: Projector<RowContent<E>>,
): ReadModel {
  // Rows are kept by read model, so what goes into a projector is what came out of the same one.
  return { name, entity, key, projector: projector };
}

/** Every read model that is a function of the log alone. */
export const readModels: readonly ReadModel[] = [
  readModel('definition', DefinitionRow, 'definition', definitions),
  readModel('schedule', ScheduleRow, 'uid', schedules),
  readModel('run', RunRow, 'run', runs),
  readModel('run_plan', RunPlanRow, 'run', runPlans),
  readModel('backup', BackupRow, 'backup', backups),
  readModel('chain', ChainRow, 'chain', chains),
  readModel('collection', CollectionRow, 'collection', collections),
  readModel('repository_key', RepositoryKeyRow, 'key', repositoryKeys),
];
