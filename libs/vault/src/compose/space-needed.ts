import { CatenaError } from '@catena/events';
import type { Manifest } from '../port/manifest.ts';
import type { ObjectStore } from '../port/object-store.ts';

/** Maps take about 17 bytes for each 8 KiB of content, and entries about 100 bytes each. */
const MAP_SHARE = 17 / 8192;
const BYTES_PER_ENTRY = 100;

/** What composing will add to the repository, and what there is. Bytes. */
export interface ComposingSpace {
  readonly needed: number;
  /** Absent where the store cannot tell. */
  readonly free?: number;
}

/** The repository has not enough room for a full beside the chain it is composed from. */
export class NoSpaceToComposeError extends CatenaError {
  constructor(location: string, from: string, { needed, free }: Required<ComposingSpace>) {
    super(
      'vault.no-space-to-compose',
      `A full composed from ${from} takes about ${needed} bytes in ${location}, where ${free} are free.`,
      {
        remedy:
          'Make room in the repository; expiring backups needs none. The old chain is freed only when the composed full is there.',
        retryable: true,
        details: { location, from, needed, free },
      },
    );
  }
}

/**
 * What a full composed from a backup will take at most: its share of the packs it needs, and maps and entries of its own.
 * @param there bytes of packs that an earlier attempt has written already
 */
export function composingBytes({ volumes, statistics }: Manifest, there: number): number {
  const packs = volumes.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  const maps = statistics.bytes * MAP_SHARE + statistics.entries * BYTES_PER_ENTRY;
  return Math.ceil(Math.max(0, packs - there) + maps);
}

/** @throws NoSpaceToComposeError */
export async function announceSpace(
  store: ObjectStore,
  from: Manifest,
  there: number,
): Promise<ComposingSpace> {
  const needed = composingBytes(from, there);
  const free = await store.freeBytes();
  if (free === undefined) return { needed };
  if (free < needed) throw new NoSpaceToComposeError(store.location, from.backup, { needed, free });
  return { needed, free };
}
