/** Definitions as `pg_dump` writes them: what PostgreSQL itself knows of dependencies, orders and versions. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { RestoreError } from '../../../port/restore-error.ts';
import type { DumpThreadData, DumpThreadReply } from './dump-thread.ts';
import { DumpWire, type DumpLogin } from './dump-wire.ts';

/** What can be created before rows are there, and what is better, or only right, after them. */
export type DumpSection = 'pre-data' | 'post-data';

export interface DumpWanted {
  /** Relations by quoted name; absent: the whole database. */
  readonly relations?: readonly string[] | undefined;
  readonly owners: boolean;
  readonly privileges: boolean;
  readonly tablespaces: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * SQL that makes the definitions of one section. It sets `search_path` to nothing and the like; run it in a transaction.
 * @throws RestoreError `restore.definitionsUnreadable` with what `pg_dump` said.
 */
export async function dumpDefinitions(
  login: DumpLogin,
  section: DumpSection,
  wanted: DumpWanted,
): Promise<string> {
  const { signal } = wanted;
  signal?.throwIfAborted();
  const wire = new DumpWire(login);
  const { port1: ours, port2: theirs } = new MessageChannel();
  const answered = new SharedArrayBuffer(4);
  const data: DumpThreadData = { args: argumentsFor(section, wanted), port: theirs, answered };
  const thread = new Worker(threadProgram(), {
    name: 'catena-dump',
    workerData: data,
    transferList: [theirs],
    execArgv: import.meta.url.endsWith('.ts') ? ['--conditions=@catena/source', '--no-warnings'] : [],
    // What it would say goes nowhere: what counts is in its answer.
    stdout: true,
    stderr: true,
  });
  ours.on('message', (bytes: Uint8Array) => {
    void wire.exchange(bytes).then((answer) => {
      ours.postMessage(answer);
      Atomics.add(new Int32Array(answered), 0, 1);
      Atomics.notify(new Int32Array(answered), 0);
    });
  });
  const outcome = Promise.withResolvers<DumpThreadReply>();
  const abort = () => outcome.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  thread.on('message', (reply: DumpThreadReply) => outcome.resolve(reply));
  thread.on('error', (error) => outcome.reject(error));
  thread.on('exit', () => outcome.resolve({ failure: 'it ended without an answer' }));
  try {
    const reply = await outcome.promise;
    if ('text' in reply) return reply.text;
    throw unreadable(reply.failure);
  } finally {
    signal?.removeEventListener('abort', abort);
    ours.close();
    wire.close();
    await thread.terminate();
  }
}

function argumentsFor(section: DumpSection, wanted: DumpWanted): string[] {
  return [
    '--schema-only',
    `--section=${section}`,
    // A copy that subscribes would take away what the source's subscription is sent.
    '--no-subscriptions',
    ...(wanted.owners ? [] : ['--no-owner']),
    ...(wanted.privileges ? [] : ['--no-privileges']),
    ...(wanted.tablespaces ? [] : ['--no-tablespaces']),
    ...(wanted.relations ?? []).map((name) => `--table=${name}`),
  ];
}

/** Beside this one, as it runs: source in tests, compiled otherwise. */
function threadProgram(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './dump-thread.ts' : './dump-thread.js', import.meta.url);
}

function unreadable(said: string): RestoreError {
  return new RestoreError(
    'restore.definitionsUnreadable',
    `pg_dump cannot read the definitions of the restored copy: ${said.replaceAll(/\s*\n\s*/g, ' ').trim()}`,
    { remedy: 'Restore the whole cluster into a folder, and take the tables from there.' },
  );
}
