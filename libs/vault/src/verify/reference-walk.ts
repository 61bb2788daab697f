import { readableBytes } from '../codec/readable-bytes.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { StoredEntry } from '../port/entry.ts';
import type { VaultBackupReader } from '../read/vault-backup-reader.ts';
import { objectName } from '../repository/layout.ts';
import type { CollectionLayout } from '../repository/layout.ts';
import type { DamageMap } from './damage-map.ts';

function entriesBetween(first: Uint8Array | undefined, next: Uint8Array | undefined): string {
  if (first === undefined) return 'entries that cannot be named';
  const end = next === undefined ? 'the end' : readableBytes(next);
  return `entries from ${readableBytes(first) || 'the root'} up to ${end}`;
}

/**
 * Goes through every entry and every page of every map of a backup: all must decode, and what refers to a damaged place
 * is noted with its file.
 */
export async function walkReferences(
  reader: VaultBackupReader,
  layout: CollectionLayout,
  damages: DamageMap,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { backup, volumes } = reader.manifest;
  const folders = new Map(
    volumes.map(({ number, folder, run, attempt, id }) => [number, layout.volume(folder, run, attempt, id)]),
  );
  const note = (error: DamagedObjectError, file: string) =>
    damages.add(error.neededBy({ backup, file }).damage);

  const walkFile = async (entry: StoredEntry, file: string): Promise<void> => {
    const map = reader.map(entry);
    if (map === undefined) return;
    let last: UnitPlace | undefined;
    for await (const leaf of map.leaves())
      for (const block of leaf.blocks) {
        if (block.zero || block.unit === last) continue;
        last = block.unit;
        const folder = folders.get(last.volume);
        if (folder === undefined) throw reader.units.damaged('pack', last, 'malformed');
        damages.needs(folder + objectName('pack', last.object), last, backup, file);
      }
  };

  const entries = reader.entries({
    onDamaged: (error, first, next) => note(error, entriesBetween(first, next)),
  });
  for await (const entry of entries) {
    signal?.throwIfAborted();
    const file = readableBytes(entry.path);
    try {
      await walkFile(entry, file);
    } catch (error) {
      if (!(error instanceof DamagedObjectError)) throw error;
      note(error, file);
    }
  }
}
