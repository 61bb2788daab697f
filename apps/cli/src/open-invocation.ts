import path from 'node:path';
import { readEndpoints, resolveHome } from '@catena/embedded';
import { connectCatena, type CatenaClient } from '@catena/client';
import { ExitCode } from './exit-codes.ts';
import { newCommand, type Invocation } from './invocation.ts';
import type { OpenInvocation } from './program.ts';

const PATIENCE_MILLISECONDS = 5_000;

/** The invocation of a real process: standard streams, signals, the platform of a data folder. */
export const openInvocation: OpenInvocation = (options) => {
  const home = options.home === undefined ? resolveHome() : path.resolve(options.home);
  const stopping = new AbortController();
  let exitCode: ExitCode = ExitCode.done;
  const clients = new Map<'client' | 'operator', Promise<CatenaClient>>();
  const connectOnce = (role: 'client' | 'operator') => {
    const connection = clients.get(role) ?? connect(home, role);
    clients.set(role, connection);
    return connection;
  };

  const interrupt = () => {
    exitCode = ExitCode.interrupted;
    // A second signal is not waited for.
    if (stopping.signal.aborted) process.exit(ExitCode.interrupted);
    stopping.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);

  const invocation: Invocation = {
    home,
    json: options.json,
    signal: stopping.signal,
    connect: () => connectOnce('client'),
    connectAsOperator: () => connectOnce('operator'),
    command: newCommand,
    say: (text) => {
      if (!options.json) process.stdout.write(`${text}\n`);
    },
    remark: (text) => process.stderr.write(`${text}\n`),
    answer: (value) => {
      if (options.json) process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    },
    exit: (code) => {
      exitCode = code;
    },
  };
  return {
    invocation,
    close: async () => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      for (const connection of clients.values()) {
        await connection.then(
          (connected) => connected.close(),
          () => undefined,
        );
      }
      return exitCode;
    },
  };
};

function connect(home: string, role: 'client' | 'operator'): Promise<CatenaClient> {
  const { nats } = readEndpoints(home);
  return connectCatena({
    url: nats.url,
    ...(nats.users[role] ?? {}),
    name: 'catena:cli',
    patienceMilliseconds: PATIENCE_MILLISECONDS,
  });
}
