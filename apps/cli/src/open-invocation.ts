import path from 'node:path';
import { readEndpoints, resolveHome } from '@catena/embedded';
import type { CatenaClient } from '@catena/client';
import { ExitCode } from './exit-codes.ts';
import { newCommand, type Invocation } from './invocation.ts';
import type { OpenInvocation } from './program.ts';

const PATIENCE_MILLISECONDS = 5_000;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C arrives more than once: from the terminal and from each launcher in between, such as npx. */
const ONE_KEY_PRESS_MILLISECONDS = 1_000;

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

  let interruptedAt = Infinity;
  const interrupt = () => {
    // Whoever asks again does not want to wait.
    if (performance.now() - interruptedAt > ONE_KEY_PRESS_MILLISECONDS) process.exit(ExitCode.interrupted);
    if (stopping.signal.aborted) return;
    interruptedAt = performance.now();
    exitCode = ExitCode.interrupted;
    stopping.abort();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, interrupt);

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
      for (const signal of STOP_SIGNALS) process.off(signal, interrupt);
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

async function connect(home: string, role: 'client' | 'operator'): Promise<CatenaClient> {
  const { nats } = readEndpoints(home);
  // Commands that need no service need not load what talks to one.
  const { connectCatena } = await import('@catena/client');
  return connectCatena({
    url: nats.url,
    ...(nats.users[role] ?? {}),
    name: 'catena:cli',
    patienceMilliseconds: PATIENCE_MILLISECONDS,
  });
}
