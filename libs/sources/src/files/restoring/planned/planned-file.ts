import type { PlannedPiece } from '@catena/vault/threads';
import { createHash, hash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { dataIn } from '../write-content.ts';
import { NewFile } from './new-file.ts';

const zeros = Buffer.alloc(64 * 1024);

/** A small file that is being written on the thread it is on, with holes where its content is zeros. */
export class PlannedFile extends NewFile {
  #hash: Hash | undefined;
  /** Of content that came whole. */
  #digest: Buffer | undefined;
  #position = 0;
  #dataEnd = 0;

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
  }

  #put(piece: Buffer): void {
    for (const [start, end] of dataIn(piece, this.#position)) {
      writeFully(this.descriptor, piece.subarray(start, end), this.#position + start);
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
    if (this.#dataEnd < size) fs.ftruncateSync(this.descriptor, size);
    const digest = this.#digest ?? this.#hashOfAll().digest();
    return Buffer.compare(digest, sha256) === 0;
  }
}

function writeFully(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += fs.writeSync(file, bytes, done, bytes.length - done, position + done);
}
