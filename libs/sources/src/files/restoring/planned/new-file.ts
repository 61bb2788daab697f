import * as fs from 'node:fs';
import { statusOfOpen, type ByteString, type FolderHandle } from '../../../system-calls/index.ts';

/** A file that is being made, open until it has all it needs. */
export class NewFile {
  readonly folder: FolderHandle;
  readonly #name: ByteString;
  readonly #descriptor: number;
  #isOpen = true;

  constructor(folder: FolderHandle, name: ByteString) {
    this.folder = folder;
    this.#name = name;
    this.#descriptor = folder.openFile(
      name,
      fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY,
    );
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  /** Harmless to repeat. */
  close(sync: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (sync) fs.fsyncSync(this.#descriptor);
    } finally {
      fs.closeSync(this.#descriptor);
    }
  }

  /** Takes its name away, unless that is another file's by now: of an attempt that has superseded this one. */
  remove(): void {
    if (this.#isOpen) {
      const own = statusOfOpen(this.#descriptor);
      const named = this.folder.statusIfThere(this.#name);
      if (named?.inode === own.inode && named.device === own.device) this.folder.removeFile(this.#name);
    }
    this.close(false);
  }
}
