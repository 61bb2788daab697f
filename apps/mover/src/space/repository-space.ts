import { CatenaError, type BackupPlan, type Warning } from '@catena/events';
import type { Collection, Manifest, Repository } from '@catena/vault';
import { judgeSpace, type ExpectedSpace } from './judge-space.ts';
import { SpaceShortError, spaceLow } from './space-error.ts';

/**
 * Looks whether there is room for a backup, before anything is read (rules.md section 7).
 * @returns warnings
 * @throws SpaceShortError
 */
export async function checkSpace(
  repository: Repository,
  collection: Collection,
  plan: BackupPlan,
  run: string,
): Promise<Warning[]> {
  const free = await repository.store.freeBytes();
  if (free === undefined) return [];
  const [expected, stored] = await Promise.all([expectedSpace(collection, plan), collection.storedBy(run)]);
  const facts = { repository: plan.repository.name, free, expected, stored };
  switch (judgeSpace(free, expected, stored)) {
    case 'enough':
      return [];
    case 'low':
      return [spaceLow(facts)];
    case 'short':
      throw new SpaceShortError(facts);
  }
}

/** As much as the last of its kind took: the newest full, or the incremental before this one. */
async function expectedSpace(collection: Collection, plan: BackupPlan): Promise<ExpectedSpace | undefined> {
  const last = plan.type === 'full' ? (await collection.latest())?.backup : plan.parent;
  if (last === undefined) return undefined;
  try {
    const { manifest } = await collection.backup(last);
    return manifest.type === plan.type ? { bytes: bytesOf(manifest), as: last } : undefined;
  } catch (error) {
    // Deleted since: then it says nothing. Anything wrong with it is found by who reads it.
    if (error instanceof CatenaError && !error.retryable) return undefined;
    throw error;
  }
}

/** Everything that a backup has added, also what earlier attempts of its run had stored. */
function bytesOf({ backup, volumes, statistics }: Manifest): number {
  const packs = volumes.filter((volume) => volume.backup === backup);
  return packs.reduce((sum, { packBytes }) => sum + packBytes, statistics.bytesOfMaps);
}
