import { compareWithBackup, type Difference } from '@catena/sources';
import { diffBackups, readableBytes, type EntryDifference, type StoredEntry } from '@catena/vault';
import { entryFields } from '../browse/entry-text.ts';
import { BackupOpener, type BrowseOptions } from '../browse/open-backup.ts';
import { Output } from '../browse/output.ts';
import type { Invocation } from '../invocation.ts';
import { namesFolder } from '../repository/open-by-hand.ts';
import { formatBytes } from '../presentation/quantities.ts';

type Change = EntryDifference['change'];

/** How many there are of each, for the sentence at the end. */
class Tally {
  readonly #counts: Record<Change, number> = { added: 0, removed: 0, changed: 0 };

  count(change: Change): void {
    this.#counts[change] += 1;
  }

  get sentence(): string {
    const { added, removed, changed } = this.#counts;
    if (added + removed + changed === 0) return 'There is no difference.';
    return `${added} added, ${removed} removed, ${changed} changed.`;
  }
}

/** Signs as people know them from restic and svn: content, kind, or only what describes it. */
function sign(difference: EntryDifference): string {
  if (difference.change === 'added') return '+';
  if (difference.change === 'removed') return '-';
  if (difference.aspects.includes('kind')) return 'T';
  return difference.aspects.includes('content') ? 'M' : 'U';
}

const sizeOf = (entry: StoredEntry) => formatBytes(Number(entry.size));

function lineOf(difference: EntryDifference): string {
  const path = readableBytes(difference.path) || '.';
  if (difference.change !== 'changed') {
    const entry = difference.change === 'added' ? difference.after : difference.before;
    return `${sign(difference)} ${path}${entry.kind === 'file' ? `  (${sizeOf(entry)})` : ''}`;
  }
  const { before, after, aspects } = difference;
  const sizes = before.size === after.size ? '' : `, ${sizeOf(before)} → ${sizeOf(after)}`;
  return `${sign(difference)} ${path}  (${aspects.join(', ')}${sizes})`;
}

function fieldsOf(difference: EntryDifference): Record<string, unknown> {
  const { change } = difference;
  const { path, pathBase64 } = entryFields(
    difference.change === 'removed' ? difference.before : difference.after,
  );
  return {
    change,
    path,
    pathBase64,
    ...(difference.change === 'changed' ? { aspects: difference.aspects } : {}),
    ...(difference.change === 'added' ? {} : { before: entryFields(difference.before) }),
    ...(difference.change === 'removed' ? {} : { after: entryFields(difference.after) }),
  };
}

async function betweenBackups(
  cli: Invocation,
  opener: BackupOpener,
  first: string,
  second: string,
): Promise<void> {
  const before = await opener.open(first);
  const after = await opener.open(second);
  const tally = new Tally();
  const out = new Output();
  try {
    for await (const difference of diffBackups(before.reader, after.reader)) {
      cli.signal.throwIfAborted();
      tally.count(difference.change);
      await out.line(cli.json ? JSON.stringify(fieldsOf(difference)) : lineOf(difference));
    }
  } finally {
    await out.flush();
  }
  cli.say(tally.sentence);
}

const CHANGES: Partial<Record<Difference, Change>> = { missing: 'removed', extra: 'added' };
const SIGNS: Partial<Record<Difference, string>> = { missing: '-', extra: '+', content: 'M', kind: 'T' };

async function withFolder(
  cli: Invocation,
  opener: BackupOpener,
  backup: string,
  folder: string,
): Promise<void> {
  const { reader } = await opener.open(backup);
  const differences = await compareWithBackup(reader, folder, { most: Infinity, signal: cli.signal });
  const tally = new Tally();
  const out = new Output();
  const changed = new Set<string>();
  for (const { path, difference, message } of differences) {
    const shown = readableBytes(path) || '.';
    const change = CHANGES[difference] ?? 'changed';
    if (change !== 'changed' || !changed.has(shown)) tally.count(change);
    if (change === 'changed') changed.add(shown);
    const fields = { change, path: shown, aspects: change === 'changed' ? [difference] : undefined, message };
    await out.line(cli.json ? JSON.stringify(fields) : `${SIGNS[difference] ?? 'U'} ${message}`);
  }
  await out.flush();
  cli.say(tally.sentence);
}

/** What a second backup, or a folder, has otherwise than a backup. */
export async function diffBackupsOrFolder(
  cli: Invocation,
  first: string,
  second: string,
  options: BrowseOptions,
): Promise<void> {
  await using opener = new BackupOpener(cli, options);
  if (namesFolder(second)) await withFolder(cli, opener, first, second);
  else await betweenBackups(cli, opener, first, second);
}
