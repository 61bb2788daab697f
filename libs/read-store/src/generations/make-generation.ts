import { setTimeout } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import { rollBack } from '../projection/commit-batch.ts';
import { READ_MODEL_VERSION } from '../projectors/read-models.ts';
import { schemaName } from './generation.ts';
import { publishViews } from './publish-views.ts';

/** Reserves the next number and makes its empty schema. */
export async function beginGeneration(runner: QueryRunner): Promise<number> {
  const [row] = (await runner.query(
    `insert into catena.generation (number, state, read_model_version)
      select coalesce(max(number), 0) + 1, 'building', $1 from catena.generation returning number`,
    [READ_MODEL_VERSION],
  )) as { number: number }[];
  const number = row?.number ?? 0;
  await runner.query(`create schema ${schemaName(number)}`);
  return number;
}

/** Makes a copy the live one, with its views, within the caller's transaction. @returns false when it is no longer there. */
export async function makeLive(runner: QueryRunner, number: number): Promise<boolean> {
  await runner.query(`delete from catena.generation where state = 'live'`);
  const [, updated] = (await runner.query(
    `update catena.generation set state = 'live' where number = $1 and state = 'building'`,
    [number],
  )) as [unknown, number];
  if (updated !== 1) return false;
  await publishViews(runner, schemaName(number));
  return true;
}

/** Drops every copy that is not the live one: what a crash of a rebuild left. Only for the holder of the rebuild lock. */
export async function dropLeftovers(runner: QueryRunner): Promise<void> {
  await runner.query(`delete from catena.generation where state = 'building'`);
  const leftovers = (await runner.query(
    `select nspname as schema from pg_namespace
      where nspname ~ '^catena_[0-9]+$'
        and nspname not in (select 'catena_' || number from catena.generation)`,
  )) as { schema: string }[];
  for (const { schema } of leftovers) await dropSchema(runner, schema);
}

/**
 * Drops a copy, unless somebody reads it for so long that waiting helps nobody. It never waits while it holds a lock, so
 * no reader of several tables can be caught in a deadlock.
 * @returns whether it is gone; if not, it is a leftover for the next rebuild or start.
 */
async function dropSchema(runner: QueryRunner, schema: string): Promise<boolean> {
  const tables = (await runner.query('select tablename from pg_tables where schemaname = $1', [schema])) as {
    tablename: string;
  }[];
  const locking = tables.map(({ tablename }) => `${schema}."${tablename}"`).join(', ');
  for (let attempt = 1; attempt <= DROP_ATTEMPTS; attempt++) {
    await runner.query('begin');
    try {
      if (locking !== '') await runner.query(`lock table ${locking} in access exclusive mode nowait`);
      await runner.query(`drop schema if exists ${schema} cascade`);
      await runner.query('commit');
      return true;
    } catch (error) {
      await rollBack(runner);
      if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
      await setTimeout(attempt * 20);
    }
  }
  return false;
}

const DROP_ATTEMPTS = 20;
const LOCK_NOT_AVAILABLE = '55P03';
