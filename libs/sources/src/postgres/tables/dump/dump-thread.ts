/**
 * Runs PostgreSQL's own `pg_dump`, compiled to WebAssembly. It reads and writes its connection synchronously, so it has a
 * thread of its own, which waits while the main thread speaks with the server.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { pgDump } from '@electric-sql/pglite-tools/pg_dump';

/** What the thread is given: its arguments, and how it gets answers. */
export interface DumpThreadData {
  readonly args: readonly string[];
  /** Carries what `pg_dump` sends, and brings what the server answers. */
  readonly port: MessagePort;
  /** One 32-bit word; it is counted up when an answer lies in the port. */
  readonly answered: SharedArrayBuffer;
}

/** What the thread says in the end. */
export type DumpThreadReply = { readonly text: string } | { readonly failure: string };

const { args, port, answered } = workerData as DumpThreadData;
const answers = new Int32Array(answered);
let seen = 0;

function exchange(bytes: Uint8Array): Uint8Array {
  port.postMessage(bytes);
  Atomics.wait(answers, 0, seen);
  seen = Atomics.load(answers, 0);
  return (receiveMessageOnPort(port) as { message: Uint8Array }).message;
}

async function dump(): Promise<DumpThreadReply> {
  try {
    const file = await pgDump({
      pg: {
        execProtocolRawStream: (bytes, { onRawData }) => onRawData(exchange(bytes.slice())),
        // Asked around the dump about a session that the engine would go on using; here it ends with the dump.
        query: async () => ({ rows: [{ search_path: '' }] }),
        exec: async () => undefined,
      },
      args,
    });
    return { text: await file.text() };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.postMessage(await dump());
