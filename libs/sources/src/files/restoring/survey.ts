/** Looks before anything is written: what is selected, whether it may go there, whether it fits. */
import type { BackupReader } from '@catena/vault';
import { RestoreError } from '../../port/restore-error.ts';
import type { RestoreOptions, SourceTotals } from '../../port/source-driver.ts';
import { TimeSlice } from '../time-slice.ts';
import { folderInTheWay, linkInTheWay, targetExists } from './refusals.ts';
import { selectedEntries } from './selected-entries.ts';
import { FoldersOnTheWay } from './folders-on-the-way.ts';
import type { TargetPlace } from './target-place.ts';

/**
 * How much there is to restore. Throws when nothing was selected, when something is in the way, or when there is too
 * little space for it.
 */
export async function survey(
  reader: BackupReader,
  place: TargetPlace,
  options: RestoreOptions,
): Promise<SourceTotals> {
  const free = place.isFree();
  let { files, bytes }: SourceTotals = reader.manifest.statistics;
  let needed = bytes;
  if (!free || (options.globs?.length ?? 0) > 0) {
    files = bytes = needed = 0;
    let selected = 0;
    using target = new FoldersOnTheWay(place.root);
    const slice = new TimeSlice(options.signal);
    for await (const item of selectedEntries(reader, options.globs)) {
      if (item.selected) selected += 1;
      if (item.entry.content) {
        files += 1;
        bytes += Number(item.entry.content.size);
      }
      const there = target.placeOf(item.path);
      const status = there?.folder.statusIfThere(there.name);
      if (status === undefined) needed += Number(item.entry.size);
      else if (item.entry.kind === 'folder') {
        if (status.kind === 'symlink') throw linkInTheWay(place.path, item.path);
        if (status.kind !== 'folder' && !options.overwrite) throw targetExists(place.path, item.path);
      } else {
        if (status.kind === 'folder') throw folderInTheWay(place.path, item.path);
        const alike =
          status.kind === item.entry.kind && (item.entry.content?.size ?? status.size) === status.size;
        if (!alike && !options.overwrite) throw targetExists(place.path, item.path);
      }
      if (slice.isOver) await slice.giveWay();
    }
    if (selected === 0) {
      const wanted = options.globs?.map((glob) => `"${glob}"`).join(', ') ?? 'what was asked for';
      throw new RestoreError('restore.nothingSelected', `Nothing in the backup matches ${wanted}.`, {
        remedy:
          'List the backup to see what it holds. A pattern begins at the root; "**/" stands for any folders.',
        details: { globs: options.globs },
      });
    }
  }
  refuseIfFull(place, needed);
  return { files, bytes };
}

/** What an earlier attempt has staged need not be written again. */
function refuseIfFull(place: TargetPlace, needed: number): void {
  const available = place.freeBytes();
  if (needed <= available) return;
  const staged = place.stagedBytes();
  if (needed <= available + staged) return;
  throw new RestoreError(
    'restore.noSpace',
    `The restore needs ${needed - staged} bytes at '${place.path}', and ${available} are free.`,
    {
      remedy: 'Free space there, or restore less or elsewhere.',
      details: { needed: needed - staged, available },
    },
  );
}
