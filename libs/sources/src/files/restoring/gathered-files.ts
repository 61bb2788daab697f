import type { StoredEntry } from '@catena/vault';
import type { ByteString } from '../../system-calls/index.ts';
import type { PendingWork } from '../pending-work.ts';
import type { PlannedFiles, SmallFile } from './planned/planned-files.ts';
import type { StagedFolder } from './staged-folder.ts';
import { nameOf } from './tree-path.ts';

/** Files that are made together, at most. */
const most = { files: 128, bytes: 1024 * 1024 };
/** As many are made for themselves, rather than with those of the next folder. */
const enough = 32;
/** What one of them holds in memory. */
const fileMemory = 16 * 1024;

/** What becomes of a file; a promise is waited for. */
export interface Gathering {
  made(file: SmallFile): void;
  /** It could not be made with the others. */
  notMade(file: SmallFile): Promise<void>;
  failed(): void;
}

interface HeldFile extends SmallFile {
  readonly within: StagedFolder;
}

/** Small files on the way through a backup, gathered so that a thread makes many of them with one task. */
export class GatheredFiles {
  readonly #planned: PlannedFiles;
  readonly #pending: PendingWork;
  readonly #gathering: Gathering;
  #files: HeldFile[] = [];
  #bytes = 0;

  /** @param pending keeps track of what is being made */
  constructor(planned: PlannedFiles, pending: PendingWork, gathering: Gathering) {
    this.#planned = planned;
    this.#pending = pending;
    this.#gathering = gathering;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** The folder stays open until the file is made. */
  add(path: ByteString, entry: StoredEntry, within: StagedFolder): void {
    if (this.#files.length >= enough && this.#files.at(-1)?.within !== within) this.make();
    this.#files.push({ path, entry, place: { folder: within.staged, name: nameOf(path) }, within });
    within.hold();
    this.#bytes += Number(entry.size);
    if (this.#files.length >= most.files || this.#bytes >= most.bytes) this.make();
  }

  /** Begins to make what was gathered. */
  make(): void {
    const files = this.#files;
    if (files.length === 0) return;
    this.#files = [];
    this.#bytes = 0;
    this.#pending.track(this.#makeAll(files), files.length * fileMemory);
  }

  async #makeAll(files: readonly HeldFile[]): Promise<void> {
    try {
      const made = await this.#planned.makeTogether(files);
      for (const [i, file] of files.entries()) {
        if (made[i] === true) this.#gathering.made(file);
        else await this.#gathering.notMade(file);
      }
    } catch (error) {
      this.#gathering.failed();
      throw error;
    } finally {
      for (const { within } of files) within.release();
    }
  }

  /** Lets go of what was gathered and is not going to be made. */
  forget(): void {
    for (const { within } of this.#files.splice(0)) within.release();
    this.#bytes = 0;
  }
}
