import { domainEvent, type AnyDomainEvent, type EventData } from '@catena/events';
import type { CollectionState } from '../collection/collection-state.ts';
import { markUnusable } from '../collection/settle-plan.ts';

/** What a verify or a restore found wrong with a backup, and what follows for its collection. */
export function recordDamage(
  collections: readonly CollectionState[],
  backup: string,
  damage: EventData<'backup.damaged'>,
): readonly AnyDomainEvent[] {
  const state = collections.find((one) => one.backups.has(backup));
  // What is condemned is being deleted, or was: that it is not there is no damage.
  if (state === undefined || state.unusable.get(backup) === 'condemned') return [];
  return [
    domainEvent('backup.damaged', backup, damage),
    ...markUnusable(state, backup, damage.missing ? 'missing' : 'damaged'),
  ];
}
