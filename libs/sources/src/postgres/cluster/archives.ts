/** The archives of a base backup one after another, and the manifest behind them. */
import type { BaseBackup, BaseBackupPart } from '../wire/base-backup.ts';
import { TarReader } from '../tar/tar-reader.ts';

export interface ArchiveConsumer {
  /** @param tablespace undefined for the data directory itself */
  archive(tablespace: string | undefined, reader: TarReader): Promise<void>;
  manifest(pieces: AsyncIterable<Buffer>): Promise<void>;
}

/** Hands out every archive and the manifest, each to be read to its end before the next. */
export async function readArchives(backup: BaseBackup, consumer: ArchiveConsumer): Promise<void> {
  const parts = backup.parts();
  let ahead: BaseBackupPart | undefined = await nextOf(parts);
  const bytes = async (): Promise<Buffer | undefined> => {
    const part = await nextOf(parts);
    if (part?.kind === 'data') return part.bytes;
    ahead = part;
    return undefined;
  };
  while (ahead !== undefined) {
    const current: BaseBackupPart = ahead;
    ahead = undefined;
    if (current.kind === 'archive') await consumer.archive(current.tablespace, new TarReader(endOnce(bytes)));
    else if (current.kind === 'manifest') await consumer.manifest(iterated(endOnce(bytes)));
    else throw new Error('the server sent data of no archive');
  }
}

async function nextOf(
  parts: AsyncGenerator<BaseBackupPart, void, void>,
): Promise<BaseBackupPart | undefined> {
  const { value, done } = await parts.next();
  return done === true ? undefined : value;
}

/** Says the end again when it is asked again, instead of reading into what comes next. */
function endOnce(next: () => Promise<Buffer | undefined>): () => Promise<Buffer | undefined> {
  let isOver = false;
  return async () => {
    if (isOver) return undefined;
    const bytes = await next();
    isOver = bytes === undefined;
    return bytes;
  };
}

async function* iterated(next: () => Promise<Buffer | undefined>): AsyncGenerator<Buffer, void, void> {
  for (let bytes = await next(); bytes !== undefined; bytes = await next()) yield bytes;
}
