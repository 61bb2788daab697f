import type { Entry } from '../port/entry.ts';
import type { VaultProgress } from '../port/backup-writer.ts';

/** What a backup has come to so far; tells whoever wants to know when it changes. */
export class BackupCounts {
  private readonly changed: (() => void) | undefined;
  entries = 0;
  files = 0;
  /** Of all content that the backup holds. */
  bytes = 0;
  bytesRead = 0;
  /** Before compression. */
  bytesNew = 0;
  bytesUnchanged = 0;

  /**
   * @param tell is given every change
   * @param bytesStored what has been written by now
   */
  constructor(tell: ((progress: VaultProgress) => void) | undefined, bytesStored: () => number) {
    this.changed =
      tell &&
      (() => {
        const { files, bytesRead, bytesNew, bytesUnchanged } = this;
        tell({ files, bytesRead, bytesNew, bytesUnchanged, bytesStored: bytesStored() });
      });
  }

  /** @param size of its content */
  entry(entry: Entry, size: number): void {
    this.entries++;
    this.bytes += size;
    if (entry.kind === 'file') this.files++;
    this.changed?.();
  }

  content(read: number, stored: number): void {
    this.bytesRead += read;
    this.bytesNew += stored;
    this.changed?.();
  }

  unchanged(bytes: number): void {
    this.bytesUnchanged += bytes;
  }
}
