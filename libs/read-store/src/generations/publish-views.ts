import { CatenaError } from '@catena/events';
import type { QueryRunner } from 'typeorm';
import { STATUS_VIEW, viewDefinitions } from './view-definitions.ts';

/** Points the documented views at the tables of a schema, within the caller's transaction. */
export async function publishViews(runner: QueryRunner, schema: string): Promise<void> {
  for (const view of viewDefinitions) await publish(runner, view.name, view.select(schema));
  await publish(runner, 'status', STATUS_VIEW);
}

/**
 * Replaces a view in place, which keeps what people granted on it; a view whose columns changed otherwise is made anew.
 * @throws CatenaError `read-store.view-in-use` when something of a person's stands on such a view.
 */
async function publish(runner: QueryRunner, name: string, select: string): Promise<void> {
  await runner.query('savepoint view');
  try {
    await runner.query(`create or replace view catena.${name} as ${select}`);
  } catch (error) {
    if (codeOf(error) !== COLUMNS_DIFFER) throw error;
    await runner.query('rollback to savepoint view');
    await recreate(runner, name, select);
  }
  await runner.query('release savepoint view');
}

async function recreate(runner: QueryRunner, name: string, select: string): Promise<void> {
  try {
    await runner.query(`drop view catena.${name}`);
  } catch (error) {
    if (codeOf(error) !== OTHERS_DEPEND) throw error;
    throw new CatenaError(
      'read-store.view-in-use',
      `The view catena.${name} has other columns now, and views of yours stand on it.`,
      { remedy: `Drop them ("\\d+ catena.${name}" in psql), rebuild, and make them again.`, cause: error },
    );
  }
  await runner.query(`create view catena.${name} as ${select}`);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

const COLUMNS_DIFFER = '42P16';
const OTHERS_DEPEND = '2BP01';
