import type { PlannedPiece } from '@catena/vault/threads';
import { createHash, hash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import {
  startWriting,
  statusOfOpen,
  type ByteString,
  type FolderHandle,
} from '../../../system-calls/index.ts';
import { dataIn } from '../write-content.ts';

const zeros = Buffer.alloc(1024 * 1024);
/** The disk begins with what has been written when it is as much as this. */
const writeBackBytes = 8 * 1024 * 1024;
const restBytes = 512 * 1024;

/** A file that is being written on the thread it is on, with holes where its content is zeros. */
export class PlannedFile {
  readonly folder: FolderHandle;
  readonly #name: ByteString;
  readonly #descriptor: number;
  #isOpen = true;
  #hash: Hash | undefined;
  /** Of content that came whole. */
  #digest: Buffer | undefined;
  #position = 0;
  #dataEnd = 0;
  #begun = 0;

  constructor(folder: FolderHandle, name: ByteString) {
    this.folder = folder;
    this.#name = name;
    this.#descriptor = folder.openFile(
      name,
      fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY,
    );
  }

  /** All of the content, which is in one place; cheaper than `write`. */
  writeWhole(pieces: Iterable<PlannedPiece>): void {
    for (const piece of pieces) {
      if (typeof piece === 'number') this.#skip(piece);
      else {
        this.#digest = hash('sha256', piece, 'buffer');
        this.#put(piece);
      }
    }
  }

  /** What comes next of the content. */
  write(pieces: Iterable<PlannedPiece>): void {
    for (const piece of pieces) {
      if (typeof piece === 'number') this.#skip(piece);
      else {
        this.#hashOfAll().update(piece);
        this.#put(piece);
      }
    }
    if (this.#dataEnd - this.#begun >= writeBackBytes) this.#startWriting();
  }

  /** Has the disk begin with what is left, unless that is so little that others go with it better. */
  startRest(): void {
    if (this.#dataEnd - this.#begun >= restBytes) this.#startWriting();
  }

  #startWriting(): void {
    startWriting(this.#descriptor, this.#begun, this.#dataEnd - this.#begun);
    this.#begun = this.#dataEnd;
  }

  #put(piece: Buffer): void {
    for (const [start, end] of dataIn(piece, this.#position)) {
      writeFully(this.#descriptor, piece.subarray(start, end), this.#position + start);
      this.#dataEnd = this.#position + end;
    }
    this.#position += piece.length;
  }

  #skip(length: number): void {
    for (let left = length; left > 0; left -= zeros.length) this.#hashOfAll().update(zeros.subarray(0, left));
    this.#position += length;
  }

  #hashOfAll(): Hash {
    return (this.#hash ??= createHash('sha256'));
  }

  /** Whether all of the content has been written, as it was. */
  holds(size: number, sha256: Uint8Array): boolean {
    if (this.#position !== size) return false;
    if (this.#dataEnd < size) fs.ftruncateSync(this.#descriptor, size);
    const digest = this.#digest ?? this.#hashOfAll().digest();
    return Buffer.compare(digest, sha256) === 0;
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

function writeFully(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += fs.writeSync(file, bytes, done, bytes.length - done, position + done);
}
