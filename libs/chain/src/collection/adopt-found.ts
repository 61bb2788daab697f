import { domainEvent, type AnyDomainEvent, type ManifestReport } from '@catena/events';
import { comparePositions } from '../position.ts';
import type { CollectionPlace, CollectionState } from './collection-state.ts';
import { initialCollection } from './collection-state.ts';
import { artefact, collected, markUnusable } from './settle-plan.ts';

/** What a rescan learnt, in steps that are each true by themselves, oldest backup first. */
export interface Adoption {
  readonly steps: readonly (readonly AnyDomainEvent[])[];
  /** Backups the log did not know. */
  readonly adopted: readonly string[];
  /** Backups the log knows as usable and the repository lacks. */
  readonly lacking: readonly string[];
  /** Backups that are there but were condemned; they stay dead. */
  readonly condemned: readonly string[];
}

/**
 * Gives a catalog its knowledge back from what a repository holds: a collection's chains are rebuilt in time order.
 * Nothing that was condemned comes back, and what the log knows and the repository lacks is named.
 * @param settledThrough by collection, up to which position nothing was in flight when the rescan was planned; what
 * came later is not missed.
 */
export function adoptFound(
  collections: readonly CollectionState[],
  found: readonly ManifestReport[],
  repository: { readonly name: string; readonly uid: string },
  settledThrough: Readonly<Record<string, string>>,
): Adoption {
  const known = new Map(collections.map((state) => [state.collection, state]));
  const adopted: string[] = [];
  const condemned: string[] = [];
  const steps: AnyDomainEvent[][] = [];
  const opened = new Set<string>();
  for (const manifest of [...found].sort(inTimeOrder)) {
    const state = known.get(manifest.collection) ?? initialCollection(manifest.collection);
    const mark = state.unusable.get(manifest.backup);
    if (mark === 'condemned') condemned.push(manifest.backup);
    if (!isNews(state, manifest)) continue;
    const place = placeOf(manifest, repository);
    const opening =
      state.place === undefined && !opened.has(state.collection)
        ? [domainEvent('collection.opened', state.collection, place)]
        : [];
    opened.add(state.collection);
    adopted.push(manifest.backup);
    steps.push([
      ...opening,
      domainEvent('backup.found', manifest.backup, artefact(manifest, place)),
      domainEvent('collection.backup-completed', state.collection, collected(manifest)),
    ]);
  }
  const present = new Set(found.map((manifest) => manifest.backup));
  const lacking = collections.flatMap((state) => lackingOf(state, present, settledThrough[state.collection]));
  for (const { state, backup } of lacking) steps.push([...markUnusable(state, backup, 'missing')]);
  return { steps, adopted, condemned, lacking: lacking.map((one) => one.backup) };
}

/** Up to which position every plan of the collection is over: what a rescan planned now may miss. */
export function settledPositionOf(state: CollectionState): string {
  let settled = state.lastPosition;
  for (const planned of state.planned.values()) {
    if (comparePositions(planned.position, settled) <= 0)
      settled = (BigInt(planned.position) - 1n).toString();
  }
  return settled;
}

function isNews(state: CollectionState, manifest: ManifestReport): boolean {
  // The report of a run that is still planned is on its way; it makes the backup known with its run.
  if (state.planned.has(manifest.run)) return false;
  const mark = state.unusable.get(manifest.backup);
  return state.backups.has(manifest.backup) ? mark === 'missing' : mark !== 'condemned';
}

function lackingOf(state: CollectionState, present: ReadonlySet<string>, settled: string | undefined) {
  return [...state.backups.values()]
    .filter((one) => !present.has(one.backup) && !state.unusable.has(one.backup))
    .filter((one) => settled !== undefined && comparePositions(one.position, settled) <= 0)
    .map((one) => ({ state, backup: one.backup }));
}

function placeOf(
  manifest: ManifestReport,
  repository: { readonly name: string; readonly uid: string },
): CollectionPlace {
  return {
    source: manifest.source,
    sourceUid: manifest.sourceUid,
    repository: repository.name,
    repositoryUid: repository.uid,
  };
}

function inTimeOrder(a: ManifestReport, b: ManifestReport): number {
  return a.asOf < b.asOf ? -1 : a.asOf > b.asOf ? 1 : comparePositions(a.position, b.position);
}
