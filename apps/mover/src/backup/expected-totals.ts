import { CatenaError, type BackupPlan } from '@catena/events';
import type { SourceTotals } from '@catena/sources';
import type { Collection } from '@catena/vault';

/**
 * What the backup before this one found: a good guess, for the progress, at what there will be, and looking through the
 * whole source for a better one would take as long as a backup in which little has changed.
 */
export async function expectedTotals(
  collection: Collection,
  plan: BackupPlan,
): Promise<SourceTotals | undefined> {
  // A log says nothing of how much there is of the next one.
  if (plan.type === 'log') return undefined;
  const last = plan.parent ?? plan.base ?? (await collection.latest())?.backup;
  if (last === undefined) return undefined;
  try {
    const { files, bytes } = (await collection.backup(last)).manifest.statistics;
    return { files, bytes };
  } catch (error) {
    // Deleted since: then it says nothing. Anything wrong with it is found by who reads it.
    if (error instanceof CatenaError && !error.retryable) return undefined;
    throw error;
  }
}
