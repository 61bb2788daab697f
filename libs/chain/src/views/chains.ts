import type { BackupView, ChainView } from '@catena/events';
import { comparePositions } from '../position.ts';

/** Types whose backups restore a source by themselves or with their closure. */
export function isDataBackup(backup: Pick<BackupView, 'type'>): boolean {
  return backup.type !== 'log';
}

/** A backup that can be restored: it is usable, and so is everything it needs that the list holds. */
export function usableAmong(backups: readonly BackupView[]): (backup: BackupView) => boolean {
  const states = new Map(backups.map((one) => [one.backup, one.state]));
  return (backup) =>
    backup.state === 'usable' &&
    backup.closure.every((needed) => {
      const state = states.get(needed) ?? 'missing';
      return state === 'usable' || state === 'expired';
    });
}

/**
 * Groups the backups of one or more collections into their chains, newest chain first, each oldest backup first. A
 * copy-only full is a chain of its own; logs belong to the collection and to no chain.
 * @param backups with what they depend on: what is not in the list counts as missing.
 */
export function chainsOf(backups: readonly BackupView[]): ChainView[] {
  const usable = usableAmong(backups);
  const chains = new Map<string, BackupView[]>();
  for (const backup of backups) {
    if (!isDataBackup(backup)) continue;
    const key = `${backup.collection}/${backup.chain}`;
    const chain = chains.get(key);
    if (chain === undefined) chains.set(key, [backup]);
    else chain.push(backup);
  }
  const views = [...chains.values()].flatMap((chain) => viewOf(chain.sort(oldestFirst), usable));
  const continued = newestChains(views, usable);
  return views
    .map((view) => ({ ...view, newest: continued.get(view.collection) === view.chain }))
    .sort((a, b) => startOf(b).localeCompare(startOf(a)) || a.chain.localeCompare(b.chain));
}

function viewOf(backups: BackupView[], usable: (backup: BackupView) => boolean): ChainView | [] {
  const [first] = backups;
  if (first === undefined) return [];
  return {
    chain: first.chain,
    collection: first.collection,
    source: first.source,
    repository: first.repository,
    copyOnly: first.copyOnly,
    newest: false,
    usable: backups.some((backup) => backup.backup === first.chain && usable(backup)),
    backups,
    bytesAdded: backups.reduce((sum, backup) => sum + backup.bytesAdded, 0),
  };
}

/** By collection the chain that it continues: of conventional chains with something usable the newest. */
function newestChains(
  chains: readonly ChainView[],
  usable: (backup: BackupView) => boolean,
): Map<string, string> {
  const newest = new Map<string, ChainView>();
  for (const chain of chains) {
    if (chain.copyOnly || !chain.backups.some(usable)) continue;
    const other = newest.get(chain.collection);
    if (other === undefined || compareStarts(chain, other) > 0) {
      newest.set(chain.collection, chain);
    }
  }
  return new Map([...newest].map(([collection, chain]) => [collection, chain.chain]));
}

function oldestFirst(a: BackupView, b: BackupView): number {
  return comparePositions(a.position, b.position) || (a.asOf < b.asOf ? -1 : a.asOf > b.asOf ? 1 : 0);
}

function compareStarts(a: ChainView, b: ChainView): number {
  const [first] = a.backups;
  const [second] = b.backups;
  return first === undefined || second === undefined ? 0 : oldestFirst(first, second);
}

function startOf(chain: ChainView): string {
  return chain.backups[0]?.asOf ?? '';
}
