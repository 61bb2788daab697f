import { backupIdOfRun, domainEvent, type AnyDomainEvent, type RunPlan } from '@catena/events';
import type { KnownBackup, KnownCollection } from './world.ts';

/** A chain that grew this long is followed by a full. */
const LONGEST_CHAIN = 24;

/** What a run's backup will be: what was wanted, or a full when there is nothing to go on from. */
export function claimPlace(
  collection: KnownCollection,
  run: string,
  wanted: KnownBackup['type'],
  copyOnly: boolean,
): KnownBackup {
  const backup = backupIdOfRun(run);
  const position = String(++collection.position);
  const conventional = collection.backups.filter((one) => !one.copyOnly);
  const full = conventional.findLast((one) => one.type === 'full');
  const chain = conventional.filter((one) => one.chain === full?.chain && one.state === 'usable');
  const parent = chain.at(-1);
  const common = { backup, run, copyOnly, position, asOf: '', state: 'usable' as const };
  const impossible =
    full?.state !== 'usable' || parent === undefined || parent.closure.length > LONGEST_CHAIN;
  if (copyOnly || wanted === 'full' || impossible) {
    return { ...common, type: 'full', parent: undefined, base: undefined, chain: backup, closure: [] };
  }
  const base = full.backup;
  if (wanted === 'differential') {
    return { ...common, type: 'differential', parent: undefined, base, chain: base, closure: [base] };
  }
  const closure = [...parent.closure, parent.backup];
  return { ...common, type: 'incremental', parent: parent.backup, base, chain: base, closure };
}

export function planOf(collection: KnownCollection, planned: KnownBackup): RunPlan {
  const { backup, type, copyOnly, chain, position } = planned;
  return {
    ...{ kind: 'backup', collection: collection.id, backup, type, copyOnly, chain, position },
    ...parentsOf(planned),
    source: collection.source.snapshot,
    repository: collection.repository.snapshot,
  };
}

/** The run claims its place in the collection. */
export function placeClaimed(collection: KnownCollection, planned: KnownBackup): AnyDomainEvent {
  const { run, backup, type, copyOnly, chain, position } = planned;
  return domainEvent('collection.backup-planned', collection.id, {
    ...{ run, backup, type, copyOnly, chain, position },
    ...parentsOf(planned),
  });
}

/** What it is computed from; nothing for a full. */
export function parentsOf({ parent, base }: KnownBackup) {
  return { ...(parent === undefined ? {} : { parent }), ...(base === undefined ? {} : { base }) };
}
