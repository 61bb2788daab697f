import type { MigrationInterface } from 'typeorm';
import { migrationDataSource, type ConnectionOptions } from '../connection/data-source.ts';
import { CreateGeneration1763600000000 } from './control/1763600000000-create-generation.ts';
import { CreateReadModels1763600000001 } from './generation/1763600000001-create-read-models.ts';
import { IndexReadModels1763600000002 } from './generation/1763600000002-index-read-models.ts';

const tables = [CreateReadModels1763600000001];

/** What each kind of schema is migrated with. `tables` of a generation come before its rows, `whole` after them. */
export const migrations = {
  control: [CreateGeneration1763600000000],
  tables,
  whole: [...tables, IndexReadModels1763600000002],
} as const;

/** Runs what a schema lacks, all of it or nothing. The schema must be there. */
export async function migrate(
  options: ConnectionOptions,
  schema: string,
  pending: readonly (new () => MigrationInterface)[],
): Promise<void> {
  const dataSource = migrationDataSource(options, schema, [...pending]);
  await dataSource.initialize();
  try {
    await dataSource.runMigrations({ transaction: 'all' });
  } finally {
    await dataSource.destroy();
  }
}
