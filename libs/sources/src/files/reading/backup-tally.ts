import { bytesOf, shownName, systemCodeOf, type ByteString } from '../../system-calls/index.ts';
import type { BackupWarning } from '@catena/vault';
import type { ProgressMeter } from '../progress-meter.ts';
import { UnreadableFile } from './file-content.ts';

/** What a backup has read, found unchanged and left out, and what it warns of. */
export class BackupTally {
  readonly meter: ProgressMeter;
  readonly #tell: (warning: BackupWarning) => void;
  filesRead = 0;
  bytesRead = 0;
  unchanged = 0;
  warnings = 0;

  /** @param tell where warnings go */
  constructor(meter: ProgressMeter, tell: (warning: BackupWarning) => void) {
    this.meter = meter;
    this.#tell = tell;
  }

  /** @param told how many of the bytes the progress knows of already */
  read(bytes: number, path: ByteString, told = 0): void {
    this.filesRead += 1;
    this.bytesRead += bytes;
    this.meter.add(1, bytes - told, path);
  }

  warn(path: ByteString, code: string, message: string): void {
    this.warnings += 1;
    this.#tell({ path: bytesOf(path), code, message });
  }

  warnOfChange(path: ByteString): void {
    const shown = shownName(path);
    this.warn(
      path,
      'file.changed',
      `'${shown}' was written to while it was read; the backup may hold a mixture of old and new content.`,
    );
  }

  /** Warns of what cannot be read. @throws every error that is not the file's own */
  leaveOut(path: ByteString, error: unknown): void {
    if (error instanceof UnreadableFile) this.warn(path, error.code, error.message);
    else if (systemCodeOf(error) === 'ENOENT') {
      const unreadable = new UnreadableFile(path, error);
      this.warn(path, unreadable.code, unreadable.message);
    } else throw error;
  }

  /** Waits for something being added, which is left out when it cannot be read. */
  async orLeftOut(path: ByteString, adding: Promise<unknown>): Promise<void> {
    try {
      await adding;
    } catch (error) {
      this.leaveOut(path, error);
    }
  }
}
