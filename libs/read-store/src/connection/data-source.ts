import { DataSource, type MigrationInterface } from 'typeorm';
import { LogTimeRow, GenerationRow } from '../rows/index.ts';
import { SnakeCaseNames } from '../rows/snake-case-names.ts';
import { readModels } from '../projectors/read-models.ts';

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Most connections; default 10. */
  readonly poolSize?: number;
  /** How a name of ours looks in `pg_stat_activity`; default `catena`. */
  readonly applicationName?: string;
}

/** How long the server may leave a question without an answer before the connection counts as lost, in milliseconds. */
const QUERY_TIMEOUT = 120_000;
const CONNECT_TIMEOUT = 5_000;

/**
 * A pool whose entities name no schema: each transaction sets the search path to the generation it is about.
 */
export function generationsDataSource(options: ConnectionOptions): DataSource {
  return new DataSource({
    ...shared(options),
    poolSize: options.poolSize ?? 10,
    entities: [...readModels.map((model) => model.entity), LogTimeRow, GenerationRow],
    namingStrategy: new SnakeCaseNames(),
    extra: { keepAlive: true, query_timeout: QUERY_TIMEOUT },
  });
}

/** A pool of one connection without any time-out, for building a copy: that takes as long as it takes. */
export function patientDataSource(options: ConnectionOptions): DataSource {
  return new DataSource({
    ...shared({ ...options, applicationName: `${options.applicationName ?? 'catena'} rebuild` }),
    poolSize: 1,
    entities: [...readModels.map((model) => model.entity), LogTimeRow, GenerationRow],
    namingStrategy: new SnakeCaseNames(),
    extra: { keepAlive: true },
  });
}

/** A connection that migrates one schema; the schema must be there. */
export function migrationDataSource(
  options: ConnectionOptions,
  schema: string,
  migrations: (new () => MigrationInterface)[],
): DataSource {
  return new DataSource({
    ...shared(options),
    schema,
    poolSize: 1,
    migrations,
    migrationsTableName: 'migration',
  });
}

function shared(options: ConnectionOptions) {
  return {
    type: 'postgres' as const,
    url: options.url,
    applicationName: options.applicationName ?? 'catena',
    connectTimeoutMS: CONNECT_TIMEOUT,
    installExtensions: false,
    logging: false,
    // A pooled connection that breaks while idle is replaced; whoever needs the next one hears when there is none.
    poolErrorHandler: () => undefined,
  };
}
