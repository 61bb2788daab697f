import type { ReplicationConnection } from './connection.ts';

const PIECE_BYTES = 64 * 1024;

/**
 * Hands the server the manifest that the next incremental backup of this connection is computed from. It must be the
 * very bytes the server gave: it checks their hash.
 */
export async function uploadManifest(
  connection: ReplicationConnection,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const command = connection.begin('UPLOAD_MANIFEST');
  await connection.flowing(command);
  try {
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        command.wire.sendCopyFromChunk(Buffer.from(chunk.subarray(at, at + PIECE_BYTES)));
        await drained(command.wire.stream);
      }
    }
    command.wire.endCopyFrom();
  } catch (error) {
    command.wire.sendCopyFail('the manifest could not be read');
    await command.done.catch(() => undefined);
    throw error;
  }
  await connection.completed(command);
}

async function drained(
  stream: NodeJS.EventEmitter & { writableNeedDrain: boolean; destroyed: boolean },
): Promise<void> {
  if (!stream.writableNeedDrain || stream.destroyed) return;
  const { promise, resolve: done } = Promise.withResolvers<undefined>();
  const resolve = () => done(undefined);
  stream.once('drain', resolve).once('close', resolve);
  await promise;
  stream.off('drain', resolve).off('close', resolve);
}
