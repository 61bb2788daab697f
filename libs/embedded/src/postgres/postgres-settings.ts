/** What of a cluster's settings differs between homes. */
export interface PostgresSettings {
  port: number;
  clusterName: string;
  /** Settings that win over ours, as text; only tests need any. */
  extra?: Readonly<Record<string, string>>;
}

/** Settings for a small machine that holds projections: real durability, little memory, loopback only. */
const SMALL_MACHINE: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '80',
  shared_buffers: '128MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  dynamic_shared_memory_type: 'posix',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '512MB',
  min_wal_size: '64MB',
  checkpoint_completion_target: '0.9',
  autovacuum_max_workers: '2',
  jit: 'off',
  password_encryption: 'scram-sha-256',
  log_timezone: 'UTC',
  timezone: 'UTC',
  lc_messages: 'C',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_line_prefix: '%m [%p] ',
};

/** The whole postgresql.conf. */
export function renderPostgresSettings(settings: PostgresSettings): string {
  const all = {
    ...SMALL_MACHINE,
    cluster_name: settings.clusterName,
    port: String(settings.port),
    ...settings.extra,
  };
  return `${Object.entries(all)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`)
    .join('\n')}\n`;
}

/** The whole pg_hba.conf: a password, from loopback, and nothing else. */
export function renderHostRules(extra: readonly string[] = []): string {
  return [
    '# type database user address method',
    'host all all 127.0.0.1/32 scram-sha-256',
    ...extra,
    '',
  ].join('\n');
}
