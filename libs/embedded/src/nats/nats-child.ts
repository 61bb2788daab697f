import path from 'node:path';
import { writeWhole } from '../write-whole.ts';
import type { ChildSpec } from '../process/child-spec.ts';
import { natsAilment } from './nats-ailment.ts';
import { checkJetStream, pingNats } from './nats-probe.ts';
import { renderNatsConfig } from './nats-config.ts';
import type { NatsUser } from './service-accounts.ts';

export interface NatsChildOptions {
  binary: string;
  serverName: string;
  port: number;
  monitorPort: number;
  /** Folder of the server: its configuration and its streams; exists. */
  folder: string;
  accountsFile: string;
  /** Text of the accounts file: a survivor started with others is not adopted. */
  accounts: string;
  /** Who asks whether it is healthy. */
  login: NatsUser | undefined;
}

/** Writes the server's configuration and says how it is run. */
export function natsChild(options: NatsChildOptions): ChildSpec {
  const configFile = path.join(options.folder, 'nats-server.conf');
  const config = renderNatsConfig({
    serverName: options.serverName,
    port: options.port,
    monitorPort: options.monitorPort,
    storeDir: path.join(options.folder, 'jetstream'),
    accountsFile: path.relative(options.folder, options.accountsFile),
  });
  writeWhole(configFile, config, 0o600);
  const monitorUrl = `http://127.0.0.1:${options.monitorPort}`;
  return {
    name: 'nats',
    command: options.binary,
    args: ['-c', configFile],
    cwd: options.folder,
    env: { PATH: '/usr/bin:/bin', HOME: options.folder, TZ: 'UTC' },
    port: options.port,
    configuration: config + options.accounts,
    probe: async (abort) => {
      const info = await pingNats({ host: '127.0.0.1', port: options.port }, options.login, abort);
      if (info.server_name !== options.serverName) {
        throw new Error(`another NATS server (${info.server_name}) answers on port ${options.port}`);
      }
      await checkJetStream(monitorUrl, abort);
    },
    ailment: (abort) => natsAilment(monitorUrl, options.folder, abort),
    // Two servers on one folder of streams would destroy it.
    isRemains: ([, flag, file]) => flag === '-c' && file === configFile,
    // Large streams are read through after a crash.
    readyWithinMs: 300_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 20_000,
  };
}
