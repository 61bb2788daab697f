import type { MigrationInterface, QueryRunner } from 'typeorm';
import { schemaOf } from '../schema-of.ts';

/** What queries need. Made after a rebuild has loaded the tables, because building an index is cheaper than growing one. */
export class IndexReadModels1763600000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    for (const [table, id] of Object.entries(IDS)) {
      await runner.query(`alter table ${schema}."${table}" add primary key ("${id}", valid_from)`);
    }
    await runner.query(`alter table ${schema}.log_time add primary key (recorded_at)`);
    for (const [name, definition] of Object.entries(INDEXES)) {
      await runner.query(`create index "${name}" on ${schema}.${definition}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    for (const name of Object.keys(INDEXES)) await runner.query(`drop index ${schema}."${name}"`);
    for (const table of [...Object.keys(IDS), 'log_time']) {
      await runner.query(`alter table ${schema}."${table}" drop constraint "${table}_pkey"`);
    }
  }
}

const IDS: Readonly<Record<string, string>> = {
  definition: 'definition',
  schedule: 'uid',
  run: 'run',
  run_plan: 'run',
  backup: 'backup',
  chain: 'chain',
  collection: 'collection',
  repository_key: 'key',
};

const INDEXES: Readonly<Record<string, string>> = {
  run_newest_of_source: 'run (source, requested_sequence desc) where valid_to is null',
  run_newest_of_schedule: 'run (schedule, requested_sequence desc) where valid_to is null',
  run_active: 'run (requested_sequence desc) where valid_to is null and finished_at is null',
  run_newest: 'run (requested_sequence desc, valid_from)',
  backup_newest_of_source: 'backup (source, as_of desc, backup) where valid_to is null',
  backup_of_chain: 'backup (chain)',
  backup_newest: 'backup (as_of desc, backup, valid_from)',
  chain_newest: 'chain (oldest_as_of desc, chain)',
  chain_of_collection: 'chain (collection)',
};
