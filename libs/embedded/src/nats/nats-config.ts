/** What of a nats-server's configuration differs between homes. */
export interface NatsSettings {
  serverName: string;
  port: number;
  monitorPort: number;
  /** Folder of the streams. */
  storeDir: string;
  /** File with the accounts, relative to the configuration: nats-server reads every include as relative. */
  accountsFile: string;
}

/** The largest message, in bytes: an event with its data fits with room to spare. */
export const MAX_PAYLOAD = 8 * 1024 * 1024;

/**
 * What the streams may take of the disk, in bytes: all of it. By default the server takes three quarters of what was
 * free when it started for its limit, and keeps refusing at that however much room is made.
 */
export const MAX_FILE_STORE = 2 ** 50;

/**
 * The configuration of our own server. `sync_interval: always` makes an acknowledgement mean "on the disk": by
 * default the server answers first and syncs later, and a power cut takes what was acknowledged.
 */
export function renderNatsConfig(settings: NatsSettings): string {
  return [
    `server_name: ${JSON.stringify(settings.serverName)}`,
    `listen: "127.0.0.1:${settings.port}"`,
    `http: "127.0.0.1:${settings.monitorPort}"`,
    `max_payload: ${MAX_PAYLOAD}`,
    'max_connections: 1024',
    'write_deadline: "10s"',
    'lame_duck_duration: "30s"',
    'jetstream {',
    `  store_dir: ${JSON.stringify(settings.storeDir)}`,
    '  sync_interval: always',
    `  max_file_store: ${MAX_FILE_STORE}`,
    '}',
    `include ${JSON.stringify(settings.accountsFile)}`,
    '',
  ].join('\n');
}
