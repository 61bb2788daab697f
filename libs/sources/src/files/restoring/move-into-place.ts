/** Gives what is staged its final names: the last step of a restore, taken only when all of it is there. */
import type { BackupReader } from '@catena/vault';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { systemCodeOf, type ByteString, type FolderHandle } from '../../system-calls/index.ts';
import { TimeSlice } from '../time-slice.ts';
import type { Metadata, Place } from './metadata.ts';
import { targetChanged, targetExists } from './refusals.ts';
import type { Durability } from './durability.ts';
import { isWithin } from './tree-path.ts';
import { selectedEntries, type SelectedEntry } from './selected-entries.ts';
import type { RestoreMoments, StagingResult } from './stage.ts';
import { FoldersOnTheWay } from './folders-on-the-way.ts';
import type { TargetPlace } from './target-place.ts';

/** A free target gets the whole tree in one step. */
export function moveWhole(place: TargetPlace, staged: Place): void {
  moveOne(place.path, '' as ByteString, staged, place.root, place.status !== undefined);
}

export interface MoveContext {
  readonly reader: BackupReader;
  readonly place: TargetPlace;
  readonly staged: Place;
  readonly options: RestoreOptions;
  readonly metadata: Metadata;
  readonly newFolders: StagingResult['newFolders'];
  readonly durability: Durability;
  readonly moments: RestoreMoments;
}

/**
 * Into what exists, thing by thing; a folder that is new goes as a whole. A crash in between leaves each thing either
 * as it was or as it is in the backup, and the rest staged for the next attempt.
 */
export class MoveInto {
  readonly #context: MoveContext;
  /** Folders that exist and are being filled, to get their metadata when they are left. */
  readonly #filled: { item: SelectedEntry; place: Place; changed: boolean }[] = [];

  constructor(context: MoveContext) {
    this.#context = context;
  }

  async run(): Promise<void> {
    using target = new FoldersOnTheWay(this.#context.place.root);
    using staged = new FoldersOnTheWay(this.#context.staged);
    let moved: ByteString | undefined;
    const slice = new TimeSlice();
    for await (const item of selectedEntries(this.#context.reader, this.#context.options.globs)) {
      if (moved !== undefined && isWithin(item.path, moved)) continue;
      this.#leave(item.path);
      const to = target.placeOf(item.path);
      if (!to) throw targetChanged(this.#context.place.path, item.path);
      const from = existing(staged.placeOf(item.path));
      if (item.entry.kind === 'folder') {
        if (to.folder.statusIfThere(to.name)?.kind === 'folder')
          this.#filled.push({ item, place: hold(to), changed: false });
        else if (from && this.#context.newFolders.has(item.path)) {
          this.#moveFolder(item, from, to);
          moved = item.path;
        } else throw targetChanged(this.#context.place.path, item.path);
      } else if (from) {
        moveOne(this.#context.place.path, item.path, from, to, this.#context.options.overwrite === true);
        this.#moved(item.path);
      } else {
        this.#correct(item, to);
      }
      if (slice.isOver) await slice.giveWay();
    }
    this.#leave(undefined);
  }

  #moveFolder(item: SelectedEntry, from: Place, to: Place): void {
    if (this.#context.options.overwrite && to.folder.statusIfThere(to.name)) to.folder.removeFile(to.name);
    moveOne(this.#context.place.path, item.path, from, to, false);
    this.#context.metadata.finishMode(item.entry, to);
    this.#moved(item.path);
  }

  #moved(path: ByteString): void {
    const folder = this.#filled.at(-1);
    if (folder) folder.changed = true;
    else this.#context.durability.folder(this.#context.place.parent);
    this.#context.moments.moved?.(path);
  }

  #makeDurable({ folder, name }: Place): void {
    using filled = folder.openFolder(name);
    this.#context.durability.folder(filled);
  }

  /** Metadata of what was there with the right content; untouched when it is right too, or may not be replaced. */
  #correct(item: SelectedEntry, place: Place): void {
    if (!place.folder.statusIfThere(place.name)) {
      // A device that this user may not make is not there either; a warning has said so.
      if (item.entry.kind === 'file') throw targetChanged(this.#context.place.path, item.path);
      return;
    }
    if (
      !this.#context.options.overwrite ||
      !item.selected ||
      this.#context.metadata.isRight(item.entry, place)
    )
      return;
    this.#context.metadata.apply(item.path, item.entry, place, { isNew: false });
  }

  #leave(path: ByteString | undefined): void {
    for (let top = this.#filled.at(-1); top; top = this.#filled.at(-1)) {
      if (path !== undefined && isWithin(path, top.item.path)) return;
      this.#filled.pop();
      try {
        if (top.changed) this.#makeDurable(top.place);
        this.#correct(top.item, top.place);
      } finally {
        top.place.folder.close();
      }
    }
  }
}

function moveOne(target: string, path: ByteString, from: Place, to: Place, replace: boolean): void {
  try {
    from.folder.rename(from.name, to.folder, to.name, { replace });
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EEXIST' || code === 'ENOTEMPTY' || code === 'EISDIR' || code === 'ENOTDIR') {
      throw targetExists(target, path);
    }
    throw error;
  }
}

function existing(place: Place | undefined): Place | undefined {
  return place?.folder.statusIfThere(place.name) ? place : undefined;
}

/** The same place with a handle of its own, because the walk closes the folders it leaves. */
function hold(place: Place): Place & { folder: FolderHandle } {
  return { folder: place.folder.openFolder('.' as ByteString), name: place.name };
}
