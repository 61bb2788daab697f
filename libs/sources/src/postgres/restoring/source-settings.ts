/** What the source's own settings would do to a copy, or to others, and which of them therefore do not act in it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** By name, those that reach outside of the copy, or keep it from starting where it is now. */
const HARMFUL = new Set([
  ...['archive_mode', 'archive_command', 'archive_library', 'archive_cleanup_command', 'restore_command'],
  ...['recovery_end_command', 'primary_conninfo', 'primary_slot_name', 'synchronous_standby_names'],
  ...['sync_replication_slots', 'synchronized_standby_slots', 'max_logical_replication_workers'],
  ...['port', 'listen_addresses', 'unix_socket_directories', 'external_pid_file', 'bonjour'],
  ...['ssl', 'ssl_cert_file', 'ssl_key_file', 'ssl_ca_file', 'ssl_passphrase_command', 'krb_server_keyfile'],
  ...[
    'shared_preload_libraries',
    'session_preload_libraries',
    'local_preload_libraries',
    'dynamic_library_path',
  ],
  ...[
    'data_directory',
    'config_file',
    'hba_file',
    'ident_file',
    'include',
    'include_dir',
    'include_if_exists',
  ],
  ...['log_directory', 'logging_collector', 'log_destination', 'temp_tablespaces', 'default_tablespace'],
  ...['huge_pages', 'shared_buffers', 'cron.database_name'],
]);

/** What a copy says instead, where the server's own default would not be harmless. */
export const HARMLESS_SETTINGS: readonly string[] = [
  "listen_addresses = 'localhost'",
  'archive_mode = off',
  'ssl = off',
  "shared_preload_libraries = ''",
  "primary_conninfo = ''",
  '# Or its subscriptions would take what is meant for the source.',
  'max_logical_replication_workers = 0',
];

/** Settings of the source that do not act in the copy, by name, as its files say them. */
export async function settingsNotInForce(folder: string, files: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const file of files)
    for (const name of settingNames(await readFile(path.join(folder, file), 'utf8')))
      if (HARMFUL.has(name)) found.add(name);
  return [...found].sort();
}

/** Names that a configuration file sets: comments and continuation do not exist, `=` may be left out. */
export function settingNames(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const name = /^\s*([A-Za-z_][A-Za-z0-9_.]*)(\s|=|$)/.exec(line)?.[1];
    return name === undefined ? [] : [name.toLowerCase()];
  });
}
