import { recoveryWindows } from './recovery-windows.ts';
import { OBJECTS_THERE, restorable } from './restorable.ts';

/** One documented view (docs/sql-views.md). */
export interface ViewDefinition {
  readonly name: string;
  /** The select behind the view; tables are those of the schema. */
  select(schema: string): string;
}

const DEFINITION = `definition, kind, name, uid, generation, labels, spec, origin, applied_at, deleted`;
const SCHEDULE = `uid, name, paused, pause_reason, last_fired, last_run, last_skip`;
const RUN = `run.run, run.kind, run.state, run.request, run.source, run.repository, run.schedule, run.schedule_uid,
  run.cadence, run.nominal, run.requested_by, run.requested_at, run.requested_sequence, run.planned_at, run.started_at,
  run.finished_at, run.attempt, run.mover, run.backup, run.failure, run.retry_at, run.warnings, run.warning_count,
  run.statistics, run.detail, run_plan.plan, run.priority, run.waiting`;
const BACKUP = `backup, run, collection, source, source_uid, repository, repository_uid, type, copy_only, parent, base,
  chain, position, family, fork, start, archive_point, started_at, as_of, finished_at, files, bytes, bytes_added, closure, manifest_name,
  manifest_hash, key_ids, warning_count, state, state_because, undo_until, pinned, found, verified_at, verified_depth,
  driver_details`;
const CHAIN = `chain.chain, chain.collection, chain.source, chain.source_uid, chain.repository, chain.repository_uid,
  chain.copy_only, chain.start_position, chain.oldest_as_of, chain.newest_as_of`;
const RESTORE_POINT = `point.source, point.repository, point.as_of as at, point.backup, point.type, point.copy_only,
  point.chain, point.collection, point.bytes`;
const KEY = `repository, repository_uid, key_id, path, generated_at, exported_at`;
const COLLECTION = `collection, source, source_uid, repository, repository_uid, opened_at, newest_full, newest_full_position,
  planned_run, lost_log`;
const VALIDITY = `valid_from, valid_to`;

function holdsNow(alias: string): string {
  return `${alias}.valid_to is null`;
}

function now(name: string, table: string, columns: string): ViewDefinition {
  return { name, select: (schema) => `select ${columns} from ${schema}.${table} where valid_to is null` };
}

function history(name: string, table: string, columns: string): ViewDefinition {
  return {
    name: `${name}_history`,
    select: (schema) => `select ${columns}, ${VALIDITY} from ${schema}.${table}`,
  };
}

/** What people point Grafana and psql at. Columns are only ever added, at the end, so that views can be replaced in place. */
export const viewDefinitions: readonly ViewDefinition[] = [
  {
    name: 'definitions',
    select: (schema) =>
      `select ${DEFINITION} from ${schema}.definition where valid_to is null and not deleted`,
  },
  history('definitions', 'definition', DEFINITION),
  now('schedules', 'schedule', SCHEDULE),
  history('schedules', 'schedule', SCHEDULE),
  {
    name: 'runs',
    select: (schema) =>
      `select ${RUN} from ${schema}.run
        left join ${schema}.run_plan on run_plan.run = run.run and run_plan.valid_to is null
        where run.valid_to is null`,
  },
  {
    name: 'runs_history',
    select: (schema) =>
      `select ${RUN}, run.valid_from, run.valid_to from ${schema}.run
        left join ${schema}.run_plan on run_plan.run = run.run
          and run_plan.valid_from <= run.valid_from
          and (run_plan.valid_to is null or run_plan.valid_to > run.valid_from)`,
  },
  now('backups', 'backup', BACKUP),
  history('backups', 'backup', BACKUP),
  {
    name: 'chains',
    select: (schema) =>
      `select ${CHAIN}, whole.backups, whole.bytes_added, whole.usable,
          not chain.copy_only and whole.restorable and not exists (
            select from ${schema}.chain as later
            where later.collection = chain.collection and later.valid_to is null and not later.copy_only
              and later.start_position::numeric > chain.start_position::numeric
              and exists (
                select from ${schema}.backup as point where point.chain = later.chain and point.valid_to is null
                  and ${restorable('point', `${schema}.backup`, holdsNow)})) as newest
        from ${schema}.chain
        cross join lateral (
          select count(*) as backups,
            coalesce(sum(point.bytes_added), 0)::bigint as bytes_added,
            coalesce(bool_or(point.backup = chain.chain and ${restorable('point', `${schema}.backup`, holdsNow)}), false) as usable,
            coalesce(bool_or(${restorable('point', `${schema}.backup`, holdsNow)}), false) as restorable
          from ${schema}.backup as point
          where point.chain = chain.chain and point.type <> 'log' and point.valid_to is null
        ) as whole
        where chain.valid_to is null`,
  },
  {
    name: 'chains_history',
    select: (schema) => `select ${CHAIN}, chain.valid_from, chain.valid_to from ${schema}.chain`,
  },
  {
    name: 'restore_points',
    select: (schema) =>
      `select ${RESTORE_POINT} from ${schema}.backup as point
        where point.valid_to is null and ${restorable('point', `${schema}.backup`, holdsNow)}`,
  },
  {
    name: 'restore_points_history',
    // A row of the history ends early where something that the backup needs went away, and begins late where it came back.
    select: (schema) =>
      `select ${RESTORE_POINT}, span.valid_from, span.valid_to
        from ${schema}.backup as point
        cross join lateral (
          select lower(part) as valid_from, upper(part) as valid_to
          from unnest(
            int8multirange(int8range(point.valid_from, point.valid_to))
            - coalesce((
                select range_agg(gap.part)
                from unnest(point.closure) as needed (backup)
                cross join lateral (
                  select unnest(
                    int8multirange(int8range(null, null)) - coalesce((
                      select range_agg(int8range(held.valid_from, held.valid_to))
                      from ${schema}.backup as held
                      where held.backup = needed.backup and held.state in ${OBJECTS_THERE}
                    ), '{}'::int8multirange)
                  ) as part
                ) as gap
              ), '{}'::int8multirange)
          ) as part
        ) as span
        where point.state = 'usable' and point.type <> 'log'`,
  },
  {
    name: 'recovery_windows',
    select: (schema) => recoveryWindows({ schema: `${schema}.`, held: holdsNow }),
  },
  now('collections', 'collection', COLLECTION),
  history('collections', 'collection', COLLECTION),
  now('keys', 'repository_key', KEY),
  history('keys', 'repository_key', KEY),
];

/** How far the live copy has come; belongs to no generation. */
export const STATUS_VIEW = `select 'catena_' || number as generation, position as sequence, stopped
  from catena.generation where state = 'live'`;
