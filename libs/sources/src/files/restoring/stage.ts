/** Brings everything a restore needs into the staging folder, verified, beside what is already right at the target. */
import type { BackupReader, StoredEntry } from '@catena/vault';
import type { RestoreOptions } from '../../port/source-driver.ts';
import {
  blamesOneFile,
  bytesOf,
  shownName,
  systemCodeOf,
  type ByteString,
} from '../../system-calls/index.ts';
import { PendingWork } from '../pending-work.ts';
import type { ProgressMeter } from '../progress-meter.ts';
import { TimeSlice } from '../time-slice.ts';
import type { Durability } from './durability.ts';
import type { FileMaker } from './file-maker.ts';
import { GatheredFiles } from './gathered-files.ts';
import type { Metadata, Place } from './metadata.ts';
import type { PlannedFiles } from './planned/planned-files.ts';
import {
  contentMissing,
  flagInTheWay,
  folderInTheWay,
  linkInTheWay,
  moreThanSaid,
  targetExists,
} from './refusals.ts';
import { removeTree } from './remove-tree.ts';
import type { RestoreWarnings } from './restore-warnings.ts';
import { safePath } from './safe-path.ts';
import { isWithin, nameOf } from './tree-path.ts';
import { selectedEntries, type SelectedEntry } from './selected-entries.ts';
import { StagedFolder } from './staged-folder.ts';
import { FoldersOnTheWay } from './folders-on-the-way.ts';

/** Moments of a restore that a test can act in. */
export interface RestoreMoments {
  /** Everything is staged; nothing is under its final name. */
  staged?(): void;
  /** One thing of an in-place restore has its final name. */
  moved?(path: ByteString): void;
}

export interface StagingContext {
  readonly reader: BackupReader;
  /** What is there at the target already; undefined when it is free. */
  readonly target: Place | undefined;
  readonly targetPath: string;
  /** Where the double of the root goes. */
  readonly root: Place;
  /** Whether an earlier attempt of the run has left something there. */
  readonly resumed: boolean;
  readonly options: RestoreOptions;
  readonly maker: FileMaker;
  /** Makes files on other threads, where the backup can be read that way. */
  readonly planned: PlannedFiles | undefined;
  readonly metadata: Metadata;
  readonly warnings: RestoreWarnings;
  readonly durability: Durability;
  readonly meter: ProgressMeter;
}

export interface StagingResult {
  /** Folders that are complete in the staging tree and go into a folder that exists; the rest hold what differs. */
  readonly newFolders: ReadonlySet<ByteString>;
  readonly bytesWritten: number;
  readonly unchanged: number;
}

/** What all of them hold together. */
const mostMemory = 16 * 1024 * 1024;
/** What a file that is being written holds in memory at most: read ahead, and gathered for a write. */
const streamMemory = 4 * 1024 * 1024;

export class Stage {
  readonly #context: StagingContext;
  readonly #folders: StagedFolder[] = [];
  readonly #pending = new PendingWork({ tasks: 1024, bytes: mostMemory });
  readonly #gathered: GatheredFiles | undefined;
  /** For hard-link groups whose first name was not selected: the name that has the content instead. */
  readonly #substitutes = new Map<ByteString, ByteString>();
  readonly #newFolders = new Set<ByteString>();
  #failed = false;
  #bytesWritten = 0;
  #bytesFound = 0;
  #unchanged = 0;

  constructor(context: StagingContext) {
    this.#context = context;
    const { planned } = context;
    if (planned === undefined) return;
    this.#gathered = new GatheredFiles(planned, this.#pending, {
      made: ({ path, entry }) => this.#made(path, Number(entry.size), 1),
      notMade: ({ path, entry, place }) => this.#makeAlone(path, entry, place),
      failed: () => {
        this.#failed = true;
      },
    });
  }

  async run(): Promise<StagingResult> {
    const { reader, options } = this.#context;
    const slice = new TimeSlice(options.signal);
    try {
      for await (const item of selectedEntries(reader, options.globs)) {
        this.#leaveFolders(item.path);
        this.#count(item);
        if (item.entry.kind === 'folder') this.#enterFolder(item);
        else if (item.entry.hardLink) {
          // Its first name must be there before anything can be linked to it.
          await this.#settle();
          await this.#within(item.path, (folder) => this.#stageLink(item, folder));
        } else {
          if (!this.#pending.hasRoom) await this.#pending.room();
          if (!this.#gathers(item))
            this.#pending.track(
              this.#within(item.path, (folder) => this.#stageThing(item.path, item.entry, folder)),
              this.#memoryFor(item.entry),
            );
        }
        if (slice.isOver) await slice.giveWay();
      }
      await this.#settle();
    } catch (error) {
      this.#failed = true;
      this.#gathered?.forget();
      await this.#pending.settle().catch(() => undefined);
      // What was looked at meanwhile may have been gathered.
      this.#gathered?.forget();
      throw error;
    } finally {
      this.#leaveFolders(undefined);
    }
    return { newFolders: this.#newFolders, bytesWritten: this.#bytesWritten, unchanged: this.#unchanged };
  }

  /** Resolves when everything so far is there. What was looked at may have been gathered since. */
  async #settle(): Promise<void> {
    do {
      this.#gathered?.make();
      await this.#pending.settle();
    } while (this.#gathered?.isEmpty === false);
  }

  /** Gathers a small file where nothing can be in its way. */
  #gathers({ path, entry }: SelectedEntry): boolean {
    const folder = this.#folders.at(-1);
    if (this.#gathered === undefined || folder === undefined || path === '') return false;
    if (
      folder.target !== undefined ||
      this.#context.resumed ||
      this.#context.planned?.isSmall(entry) !== true
    )
      return false;
    this.#gathered.add(path, entry, folder);
    return true;
  }

  #memoryFor(entry: StoredEntry): number {
    const { planned } = this.#context;
    if (planned?.takes(entry) === true) return Math.ceil(mostMemory / planned.sideBySide);
    return Math.min(Number(entry.size), streamMemory);
  }

  /** What was said to fit must be what comes. */
  #count({ path, entry }: SelectedEntry): void {
    const { statistics } = this.#context.reader.manifest;
    this.#bytesFound += Number(entry.content?.size ?? 0n);
    if (this.#bytesFound > statistics.bytes) throw moreThanSaid(path, statistics.bytes);
  }

  /** Folders that a path is not in have been listed completely: each is finished when the work in it is. */
  #leaveFolders(path: ByteString | undefined): void {
    for (let top = this.#folders.at(-1); top; top = this.#folders.at(-1)) {
      if (path !== undefined && isWithin(path, top.path)) return;
      this.#folders.pop();
      top.release();
    }
  }

  #enterFolder({ path, entry }: SelectedEntry): void {
    const { targetPath, root, options } = this.#context;
    const above = this.#folders.at(-1);
    const there = this.#targetPlace(path, above);
    const status = there?.folder.statusIfThere(there.name);
    if (status?.kind === 'symlink') throw linkInTheWay(targetPath, path);
    if (status !== undefined && status.kind !== 'folder' && !options.overwrite)
      throw targetExists(targetPath, path);
    const existing = there && status?.kind === 'folder' ? there.folder.openFolder(there.name) : undefined;
    const isTop = above === undefined || above.target !== undefined;
    const folder = new StagedFolder(path, entry, existing, above ?? root, (done) =>
      this.#finish(done, isTop),
    );
    this.#folders.push(folder);
    if (existing !== undefined) return;
    folder.staged.status();
    if (isTop) this.#newFolders.add(path);
  }

  /** Metadata come last, from the innermost folder outwards. A folder that exists gets its own when all has moved. */
  #finish(folder: StagedFolder, isTop: boolean): void {
    if (this.#failed || folder.target !== undefined) return;
    const { metadata, durability } = this.#context;
    durability.folder(folder.staged, () =>
      metadata.apply(folder.path, folder.entry, folder.stagedPlace, { isNew: true, keepWritable: isTop }),
    );
  }

  async #within(path: ByteString, work: (folder: StagedFolder | undefined) => Promise<void>): Promise<void> {
    const folder = path === '' ? undefined : this.#folders.at(-1)?.hold();
    try {
      await work(folder);
    } catch (error) {
      this.#failed = true;
      throw error;
    } finally {
      folder?.release();
    }
  }

  #targetPlace(path: ByteString, folder: StagedFolder | undefined): Place | undefined {
    if (path === '') return this.#context.target;
    return folder?.target && { folder: folder.target, name: nameOf(path) };
  }

  async #stageThing(path: ByteString, entry: StoredEntry, folder: StagedFolder | undefined): Promise<void> {
    const { maker, metadata, meter, options, planned, root, resumed, targetPath } = this.#context;
    options.signal?.throwIfAborted();
    const there = this.#targetPlace(path, folder);
    const status = there?.folder.statusIfThere(there.name);
    const isFile = entry.kind === 'file' ? 1 : 0;
    if (there && status) {
      if (status.kind === 'folder') throw folderInTheWay(targetPath, path);
      if (await maker.holds(entry, there, status)) {
        this.#unchanged += 1;
        meter.add(isFile, Number(entry.size), path);
        return;
      }
      if (!options.overwrite) throw targetExists(targetPath, path);
      if (status.immutable || status.appendOnly) throw flagInTheWay(targetPath, path);
    }
    if (folder?.target?.status().immutable) throw flagInTheWay(targetPath, folder.path);
    const place = folder ? { folder: folder.staged, name: nameOf(path) } : root;
    const earlier = resumed ? place.folder.statusIfThere(place.name) : undefined;
    if (earlier && !(await maker.holds(entry, place, earlier))) removeTree(place.folder, place.name);
    else if (earlier) {
      meter.add(isFile, Number(entry.size), path);
      metadata.apply(path, entry, place, { isNew: false });
      return;
    }
    if (folder && planned?.isSmall(entry) === true) {
      this.#gathered?.add(path, entry, folder);
      return;
    }
    const written = (bytes: number): void => this.#made(path, bytes, 0);
    if (planned?.takes(entry) && (await planned.make(path, entry, place, written)))
      this.#made(path, 0, isFile);
    else await this.#makeAlone(path, entry, place);
  }

  /** Makes a thing on this thread. */
  async #makeAlone(path: ByteString, entry: StoredEntry, place: Place): Promise<void> {
    const { maker, metadata } = this.#context;
    const written = (bytes: number): void => this.#made(path, bytes, 0);
    if (!(await maker.make(path, entry, place, written))) return;
    metadata.apply(path, entry, place, { isNew: true });
    this.#made(path, 0, entry.kind === 'file' ? 1 : 0);
  }

  #made(path: ByteString, bytes: number, files: number): void {
    const { durability, meter } = this.#context;
    this.#bytesWritten += bytes;
    meter.add(files, bytes, path);
    durability.wrote(bytes, files);
  }

  async #stageLink({ path, entry }: SelectedEntry, folder: StagedFolder | undefined): Promise<void> {
    const { root, target, options, targetPath, resumed, meter } = this.#context;
    const first = safePath(entry.hardLink ?? new Uint8Array(0));
    const from = (await this.#isSelected(first)) ? first : this.#substitutes.get(first);
    if (from === undefined) {
      this.#substitutes.set(first, path);
      await this.#stageThing(path, await this.#firstOfGroup(entry), folder);
      return;
    }
    const there = this.#targetPlace(path, folder);
    const status = there?.folder.statusIfThere(there.name);
    if (status?.kind === 'folder') throw folderInTheWay(targetPath, path);
    using stagedFolders = new FoldersOnTheWay(root);
    using targetFolders = target && new FoldersOnTheWay(target);
    const staged = existing(stagedFolders.placeOf(from));
    const atTarget = staged ? undefined : existing(targetFolders?.placeOf(from));
    const source = staged ?? atTarget;
    meter.add(entry.kind === 'file' ? 1 : 0, 0, path);
    if (!source) {
      this.#context.warnings.lost(
        path,
        'restore.deviceNotMade',
        `was not made: '${shownName(from)}', which it is linked to, was not either, because only root may make devices`,
      );
      return;
    }
    if (status && status.inode === atTarget?.folder.status(atTarget.name).inode) {
      this.#unchanged += 1;
      return;
    }
    if (status && !options.overwrite) throw targetExists(targetPath, path);
    const place = folder ? { folder: folder.staged, name: nameOf(path) } : root;
    if (resumed) removeTree(place.folder, place.name);
    try {
      place.folder.makeHardLink(place.name, source.folder, source.name);
    } catch (error) {
      if (!blamesOneFile(error) || entry.kind !== 'file') throw error;
      this.#context.warnings.add(
        path,
        'restore.hardLinkNotKept',
        `'${shownName(path)}' could not be linked to '${shownName(from)}' (${systemCodeOf(error)}); it is a file of its own.`,
      );
      await this.#stageThing(path, await this.#firstOfGroup(entry), folder);
    }

    function existing(place: Place | undefined): Place | undefined {
      return place?.folder.statusIfThere(place.name) ? place : undefined;
    }
  }

  /** The entry that carries the content of a hard-link group. */
  async #firstOfGroup(entry: StoredEntry): Promise<StoredEntry> {
    const first = await this.#context.reader.find(entry.hardLink ?? entry.path);
    if (!first || first.kind !== entry.kind || first.hardLink) throw contentMissing(safePath(entry.path));
    return first;
  }

  async #isSelected(path: ByteString): Promise<boolean> {
    const { globs } = this.#context.options;
    if (globs === undefined || globs.length === 0) return true;
    for await (const found of this.#context.reader.entries({ globs, under: bytesOf(path) })) {
      if (Buffer.compare(found.path, bytesOf(path)) === 0) return true;
    }
    return false;
  }
}
