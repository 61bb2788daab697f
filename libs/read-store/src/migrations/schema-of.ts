import type { QueryRunner } from 'typeorm';

/** The schema that a migration is run in; its name is ours (`catena` or `catena_<number>`), so it needs no quoting. */
export function schemaOf(runner: QueryRunner): string {
  const { options } = runner.dataSource;
  if (!('schema' in options) || !options.schema) throw new Error('A migration runs in a named schema.');
  return options.schema;
}
