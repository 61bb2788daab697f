import type { BackupView, ChainView, RecoveryWindowView } from '@catena/events';
import { placeInHistory, serverOf } from './place-in-history.ts';
import { recoveryWindowLines } from './recovery-window-text.ts';
import { formatBytes, formatInstant, plural } from './quantities.ts';

/** One line of a drawing: what a backup is, when, how big, and whether it can be used. */
function label(backup: BackupView): string {
  const facts = [
    backup.copyOnly ? `${backup.type} (copy-only)` : backup.type,
    formatInstant(backup.asOf),
    `${plural(backup.files, 'file')}, ${formatBytes(backup.bytes)}`,
    `+${formatBytes(backup.bytesAdded)}`,
  ];
  const place = placeInHistory(backup);
  if (place !== undefined) facts.push(place);
  const server = serverOf(backup);
  if (server !== undefined) facts.push(server);
  if (backup.state !== 'usable') facts.push(backup.state.toUpperCase());
  if (backup.warningCount > 0) facts.push(plural(backup.warningCount, 'warning'));
  if (backup.verified) facts.push(`verified ${formatInstant(backup.verified.at)}`);
  return `${backup.backup}  ${facts.join('  ')}`;
}

function drawBelow(backups: readonly BackupView[], above: string, indent: string, lines: string[]): void {
  const children = backups.filter((backup) => (backup.parent ?? backup.base) === above);
  children.forEach((child, index) => {
    const last = index === children.length - 1;
    lines.push(`${indent}${last ? '└─' : '├─'} ${label(child)}`);
    drawBelow(backups, child.backup, `${indent}${last ? '   ' : '│  '}`, lines);
  });
}

/**
 * A chain as a tree: the full, beneath it what was computed from it. An incremental hangs below its parent, a
 * differential below its base; a copy-only full stands apart as a chain of its own.
 */
export function drawChain(chain: ChainView): string {
  const full = chain.backups.find((backup) => backup.backup === chain.chain);
  const lines = [full ? `● ${label(full)}` : `● ${chain.chain}  (not in the catalog)`];
  drawBelow(chain.backups, chain.chain, '  ', lines);
  return lines.join('\n');
}

/** Chains by collection, conventional ones first, each newest first as given, and the windows that its logs make. */
export function drawChains(
  chains: readonly ChainView[],
  windows: readonly RecoveryWindowView[] = [],
): string {
  const collections = Map.groupBy(chains, (chain) => `${chain.source} in ${chain.repository}`);
  const blocks: string[] = [];
  for (const [collection, members] of collections) {
    blocks.push(collection);
    for (const chain of members.filter((member) => !member.copyOnly)) {
      blocks.push(
        `${drawChain(chain)}${chain.newest ? '\n  (the next incremental or differential joins this chain)' : ''}`,
      );
    }
    const apart = members.filter((member) => member.copyOnly);
    if (apart.length > 0) blocks.push('copy-only, apart from the chains:', ...apart.map(drawChain));
    const own = members[0]?.collection;
    blocks.push(...recoveryWindowLines(windows.filter((window) => window.collection === own)));
  }
  return blocks.join('\n');
}
