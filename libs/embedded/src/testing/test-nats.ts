import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findNatsServer } from '../nats/find-nats-server.ts';
import { natsChild } from '../nats/nats-child.ts';
import { NATS_ROLES, renderAccounts, type NatsRole, type NatsUser } from '../nats/service-accounts.ts';
import { generatePassword } from '../home/password.ts';
import { writeWhole } from '../write-whole.ts';
import { holdLifeline } from './lifeline.ts';
import { TestServer } from './test-server.ts';

export interface TestNatsOptions {
  /** Keep the streams in this folder and leave them there; default: a temporary folder, deleted by `close`. */
  persistentDir?: string;
  /** Lines to add at the end of the server's configuration, e.g. a smaller `max_payload`. */
  extraConfig?: readonly string[];
}

/** A nats-server of its own, configured as the real one. */
export interface TestNats {
  /** E.g. `nats://127.0.0.1:23456`. Who connects without a login may do everything (user `admin`). */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly monitorUrl: string;
  readonly pid: number;
  readonly folder: string;
  /** The service accounts, with the permissions they have in a real home. */
  readonly users: Readonly<Record<NatsRole, NatsUser>>;
  readonly admin: NatsUser;
  /** `kill -9`; returns when the process is gone. */
  kill9(): Promise<void>;
  /** Graceful stop; the streams stay for {@link restart}. */
  stop(): Promise<void>;
  /** Starts it again on the same port with the same streams. Returns when it is healthy. */
  restart(): Promise<void>;
  /** Ends the server and deletes its temporary folder. To be called in `afterAll`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a throw-away nats-server with JetStream on a free port. The binary is found as {@link findNatsServer} says. */
export async function startTestNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const binary = await findNatsServer();
  const temporary = await mkdtemp(path.join(tmpdir(), 'catena-nats-'));
  const folders = { run: path.join(temporary, 'run'), logs: path.join(temporary, 'logs') };
  const folder = options.persistentDir ?? path.join(temporary, 'nats');
  for (const each of [folders.run, folders.logs, folder]) await mkdir(each, { recursive: true });
  const cancelLifeline = holdLifeline(folders.run, [temporary]);

  const admin = { user: 'admin', password: generatePassword() };
  const users = Object.fromEntries(
    NATS_ROLES.map((role) => [role, { user: role, password: generatePassword() }]),
  ) as Record<NatsRole, NatsUser>;
  const accountsFile = path.join(temporary, 'accounts.conf');
  const accounts = [
    renderAccounts({
      passwordOf: (role) => JSON.stringify(users[role].password),
      more: [`      { user: "admin", password: "${admin.password}" }`],
    }),
    'no_auth_user: "admin"',
    ...(options.extraConfig ?? []),
    '',
  ].join('\n');
  writeWhole(accountsFile, accounts, 0o600);

  const cleanUp = async () => {
    await rm(temporary, { recursive: true, force: true });
    cancelLifeline();
  };
  let monitorUrl = '';
  let server: TestServer;
  try {
    server = await TestServer.start(([port, monitorPort]) => {
      monitorUrl = `http://127.0.0.1:${monitorPort}`;
      return natsChild({
        ...{ binary: binary.path, serverName: path.basename(temporary), port, monitorPort },
        ...{ folder, accountsFile, accounts, login: admin },
      });
    }, folders);
  } catch (error) {
    await cleanUp();
    throw error;
  }
  const close = async () => {
    await server.end();
    await cleanUp();
  };
  return {
    url: `nats://127.0.0.1:${server.port}`,
    host: '127.0.0.1',
    port: server.port,
    monitorUrl,
    get pid() {
      return server.pid;
    },
    folder,
    users,
    admin,
    kill9: () => server.kill9(),
    stop: () => server.stop(),
    restart: () => server.restart(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
