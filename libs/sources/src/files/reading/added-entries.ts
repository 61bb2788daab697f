import type { BackupWriter, Entry, StoredEntry } from '@catena/vault';
import { bytesOf, type FileStatus } from '../../system-calls/index.ts';
import { PendingWork } from '../pending-work.ts';
import type { BackupTally } from './backup-tally.ts';
import { EntryMaker } from './entry-of.ts';
import type { OpenFile } from './file-content.ts';
import type { Found } from './walk.ts';

/** Content that may be in memory at once; the writer has bounds of its own for what it has taken over. */
const MOST_MEMORY = 8 * 1024 * 1024;
/** Entries that may be on their way to the writer. More would not make it faster, and let what they hold grow old. */
const MOST_ENTRIES = 384;

/** The entries of what is found, made, completed and handed to the writer, within bounds. */
export class AddedEntries {
  readonly writer: BackupWriter;
  readonly pending = new PendingWork({ tasks: MOST_ENTRIES, bytes: MOST_MEMORY });
  readonly #tally: BackupTally;
  readonly #maker = new EntryMaker();

  constructor(writer: BackupWriter, tally: BackupTally) {
    this.writer = writer;
    this.#tally = tally;
  }

  /** The entry of something found; without what takes further system calls. */
  of(found: Found, status: FileStatus = found.status): Entry {
    return this.#maker.of(bytesOf(found.path), status);
  }

  /** With its attributes and names. @param file if it is open */
  complete(found: Found, entry: Entry, file?: OpenFile): Entry {
    const warn = (code: string, message: string) => this.#tally.warn(found.path, code, message);
    return this.#maker.complete(found, entry, warn, file?.fd);
  }

  /** Adds something that is as it was. */
  addAsBefore(entry: Entry, before: StoredEntry): void {
    this.#tally.unchanged += 1;
    this.add(this.#maker.completeAsBefore(entry, before), { asBefore: before });
  }

  /**
   * Hands a complete entry to the writer; only an error that is not the entry's own ends the backup.
   * @param bytes in memory until it has been stored; then `over` is called
   */
  add(entry: Entry, content?: Parameters<BackupWriter['add']>[1], bytes = 0, over?: () => void): void {
    this.pending.track(this.writer.add(entry, content), bytes, over);
  }
}
