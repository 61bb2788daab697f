import type { MigrationInterface, QueryRunner } from 'typeorm';
import { schemaOf } from '../schema-of.ts';

/**
 * The tables, with nothing but the index that projecting itself needs: the row of an id that holds now. Ids compare byte
 * by byte (collation "C"), so that a beginning of an id is found by index and orders are the same everywhere.
 */
export class CreateReadModels1763600000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    for (const [table, { id, columns }] of Object.entries(TABLES)) {
      await runner.query(
        `create table ${schema}."${table}" (${columns.trim()}, valid_from bigint not null, valid_to bigint)`,
      );
      await runner.query(
        `create unique index "${table}_now" on ${schema}."${table}" ("${id}") where valid_to is null`,
      );
    }
    await runner.query(
      `create table ${schema}.log_time (sequence bigint not null, recorded_at timestamptz(3) not null)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    for (const table of [...Object.keys(TABLES), 'log_time']) {
      await runner.query(`drop table ${schema}."${table}"`);
    }
  }
}

const PLACE = `
  source text collate "C" not null,
  source_uid text collate "C" not null,
  repository text collate "C" not null,
  repository_uid text collate "C" not null`;

const TABLES: Readonly<Record<string, { id: string; columns: string }>> = {
  definition: {
    id: 'definition',
    columns: `
      definition text collate "C" not null,
      kind text collate "C" not null,
      name text collate "C" not null,
      uid text collate "C" not null,
      generation bigint not null,
      labels json not null,
      spec json not null,
      origin text,
      applied_at timestamptz(3) not null,
      deleted boolean not null`,
  },
  schedule: {
    id: 'uid',
    columns: `
      uid text collate "C" not null,
      name text collate "C" not null,
      paused boolean not null,
      pause_reason text,
      last_fired json not null,
      last_run text collate "C",
      last_skip json`,
  },
  run: {
    id: 'run',
    columns: `
      run text collate "C" not null,
      kind text collate "C" not null,
      state text collate "C" not null,
      request json not null,
      source text collate "C",
      repository text collate "C" not null,
      schedule text collate "C",
      schedule_uid text collate "C",
      cadence text collate "C",
      nominal timestamptz(3),
      requested_by text not null,
      requested_at timestamptz(3) not null,
      requested_sequence bigint not null,
      planned_at timestamptz(3),
      started_at timestamptz(3),
      finished_at timestamptz(3),
      attempt bigint not null,
      mover text,
      backup text collate "C",
      failure json,
      retry_at timestamptz(3),
      warnings json not null,
      warning_count bigint not null,
      statistics json,
      detail json,
      priority text collate "C",
      waiting json`,
  },
  run_plan: {
    id: 'run',
    columns: `
      run text collate "C" not null,
      plan json not null`,
  },
  backup: {
    id: 'backup',
    columns: `
      backup text collate "C" not null,
      run text collate "C" not null,
      collection text collate "C" not null,
      ${PLACE.trim()},
      type text collate "C" not null,
      copy_only boolean not null,
      parent text collate "C",
      base text collate "C",
      chain text collate "C" not null,
      position text collate "C" not null,
      family text not null,
      fork text collate "C",
      start text collate "C",
      archive_point text collate "C",
      started_at timestamptz(3) not null,
      as_of timestamptz(3) not null,
      finished_at timestamptz(3) not null,
      files bigint not null,
      bytes bigint not null,
      bytes_added bigint not null,
      closure text[] not null,
      manifest_name text not null,
      manifest_hash text not null,
      key_ids text[] not null,
      warning_count bigint not null,
      state text collate "C" not null,
      state_because text,
      undo_until timestamptz(3),
      pinned boolean not null,
      found boolean not null,
      verified_at timestamptz(3),
      verified_depth text collate "C",
      driver_details json,
      marks json,
      more_marks bigint,
      transactions json`,
  },
  chain: {
    id: 'chain',
    columns: `
      chain text collate "C" not null,
      collection text collate "C" not null,
      ${PLACE.trim()},
      copy_only boolean not null,
      start_position text collate "C" not null,
      oldest_as_of timestamptz(3) not null,
      newest_as_of timestamptz(3) not null`,
  },
  collection: {
    id: 'collection',
    columns: `
      collection text collate "C" not null,
      ${PLACE.trim()},
      opened_at timestamptz(3) not null,
      newest_full text collate "C",
      newest_full_position text collate "C",
      planned_run text collate "C",
      lost_log json`,
  },
  repository_key: {
    id: 'key',
    columns: `
      key text collate "C" not null,
      repository text collate "C" not null,
      repository_uid text collate "C" not null,
      key_id text collate "C" not null,
      path text not null,
      generated_at timestamptz(3) not null,
      exported_at timestamptz(3)`,
  },
};
