/** A real PostgreSQL that a test protects: throw-away, with a role that may replicate and nothing else. */
import { startTestPostgres, type TestPostgres } from '@catena/embedded/testing';
import pg from 'pg';
import type { ServerAddress } from '../wire/address.ts';

export interface ProtectedClusterOptions {
  /** Folder of the server's programs; those of the embedded server by default. */
  readonly bin?: string | undefined;
  /** Their major version; needed with `bin`. */
  readonly major?: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** True: syncs to disk, and its log has segments of the usual size. */
  readonly durable?: boolean;
  /** Default true. */
  readonly pageChecksums?: boolean;
  /** More lines of pg_hba.conf. */
  readonly hostRules?: readonly string[];
}

export interface ProtectedCluster {
  readonly server: TestPostgres;
  /** As `backup`, who may replicate and nothing else. */
  readonly address: ServerAddress;
  /** Runs SQL as superuser in the database `catena` and returns the rows. */
  sql<T extends object = Record<string, unknown>>(text: string): Promise<T[]>;
  /** Changes a setting of the running server, as it shows it; returns when whoever connects now finds it so. */
  set(name: string, value: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const BACKUP_ROLE = { user: 'backup', password: 'only-for-tests' };

/** What a server needs so that it can be backed up; some of it is the default of a server that others run. */
export const REPLICATION_SETTINGS = {
  wal_level: 'replica',
  max_wal_senders: '10',
  full_page_writes: 'on',
  summarize_wal: 'on',
};

/** Rules of pg_hba.conf that let the role in. */
export const REPLICATION_RULES = [`host replication ${BACKUP_ROLE.user} 127.0.0.1/32 scram-sha-256`];

export async function startProtectedCluster(
  options: ProtectedClusterOptions = {},
): Promise<ProtectedCluster> {
  const { summarize_wal: summarize, ...everywhere } = REPLICATION_SETTINGS;
  const tracksChanges = (options.major ?? 18) >= 17;
  const checksums = options.pageChecksums ?? true;
  const server = await startTestPostgres({
    durable: options.durable ?? false,
    ...(options.bin === undefined ? {} : { bin: options.bin }),
    initdb: checksums ? ['--data-checksums'] : (options.major ?? 18) >= 18 ? ['--no-data-checksums'] : [],
    settings: {
      ...everywhere,
      ...(tracksChanges ? { summarize_wal: summarize } : {}),
      ...options.settings,
    },
    hostRules: [...REPLICATION_RULES, ...(options.hostRules ?? [])],
  });
  const sql = async <T extends object>(text: string): Promise<T[]> => {
    const client = new pg.Client({ connectionString: server.adminUrl });
    await client.connect();
    try {
      return (await client.query<T>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const set = async (name: string, value: string): Promise<void> => {
    await sql(`ALTER SYSTEM SET ${name} = '${value}'`);
    await sql('SELECT pg_reload_conf()');
    while ((await sql<{ now: string }>(`SELECT current_setting('${name}') AS now`))[0]?.now !== value);
  };
  try {
    await sql(`CREATE ROLE ${BACKUP_ROLE.user} LOGIN REPLICATION PASSWORD '${BACKUP_ROLE.password}'`);
  } catch (error) {
    await server.close();
    throw error;
  }
  const address: ServerAddress = { host: server.host, port: server.port, ...BACKUP_ROLE, tls: 'disable' };
  return { server, address, sql, set, [Symbol.asyncDispose]: () => server.close() };
}
