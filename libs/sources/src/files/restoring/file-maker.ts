/**
 * Makes the things of a backup in the staging folder. An attempt that ends early may leave a file incomplete: the next one
 * looks at the content of what it finds there.
 */
import type { BackupReader, ByteRate, StoredEntry } from '@catena/vault';
import * as fs from 'node:fs';
import { RestoreError } from '../../port/restore-error.ts';
import type { RestoreOptions } from '../../port/source-driver.ts';
import {
  kindBits,
  shownName,
  systemCodeOf,
  type ByteString,
  type FileStatus,
} from '../../system-calls/index.ts';
import { hashOfOpen } from '../content-hash.ts';
import type { Place } from './metadata.ts';
import type { Durability } from './durability.ts';
import { contentMissing } from './refusals.ts';
import type { RestoreWarnings } from './restore-warnings.ts';
import { writeContent } from './write-content.ts';

export class FileMaker {
  readonly #reader: BackupReader;
  readonly #warnings: RestoreWarnings;
  readonly #durability: Durability;
  readonly #signal: AbortSignal | undefined;
  readonly #rate: ByteRate | undefined;

  constructor(
    reader: BackupReader,
    warnings: RestoreWarnings,
    durability: Durability,
    { signal, limits }: Pick<RestoreOptions, 'signal' | 'limits'>,
  ) {
    this.#reader = reader;
    this.#warnings = warnings;
    this.#durability = durability;
    this.#signal = signal;
    this.#rate = limits?.write;
  }

  /** Makes what an entry describes, without its metadata; false when this process may not (then it is a warning). */
  async make(
    path: ByteString,
    entry: StoredEntry,
    place: Place,
    written: (bytes: number) => void,
  ): Promise<boolean> {
    switch (entry.kind) {
      case 'file':
        await this.#makeFile(path, entry, place, written);
        return true;
      case 'symlink':
        if (!entry.linkTarget) throw contentMissing(path);
        place.folder.makeSymlink(place.name, entry.linkTarget);
        return true;
      case 'fifo':
      case 'socket':
      case 'blockDevice':
      case 'characterDevice':
        return this.#makeNode(path, entry, place);
      case 'folder':
        throw new TypeError('Folders are made by the staging tree.');
    }
  }

  async #makeFile(
    path: ByteString,
    entry: StoredEntry,
    place: Place,
    written: (bytes: number) => void,
  ): Promise<void> {
    if (!entry.content) throw contentMissing(path);
    const file = place.folder.openFile(
      place.name,
      fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_RDWR,
    );
    try {
      const content = this.#reader.content(entry);
      const size = await writeContent(file, content, { signal: this.#signal, rate: this.#rate, written });
      if (size !== entry.content.size) {
        throw new RestoreError(
          'restore.contentWrong',
          `The content of '${shownName(path)}' has ${size} bytes instead of ${entry.content.size}.`,
          { remedy: 'Verify the backup, and restore from another one.', details: { path: shownName(path) } },
        );
      }
      await this.#durability.file(file);
    } finally {
      fs.closeSync(file);
    }
  }

  #makeNode(path: ByteString, entry: StoredEntry, place: Place): boolean {
    try {
      place.folder.makeNode(place.name, kindBits[entry.kind] | 0o600, entry.deviceNumber ?? 0n);
      return true;
    } catch (error) {
      const code = systemCodeOf(error);
      if (code !== 'EPERM' && code !== 'EACCES') throw error;
      this.#warnings.add(
        path,
        'restore.deviceNotMade',
        `'${shownName(path)}' (${entry.kind}) was not made (${code}): only root may make devices.`,
      );
      return false;
    }
  }

  /** Whether a thing on disk has the kind and content of an entry. What cannot be read is taken as different. */
  async holds(entry: StoredEntry, place: Place, status: FileStatus): Promise<boolean> {
    if (status.kind !== entry.kind) return false;
    if (entry.kind === 'symlink') {
      return (
        entry.linkTarget !== undefined &&
        Buffer.compare(place.folder.readLink(place.name), entry.linkTarget) === 0
      );
    }
    if (entry.kind !== 'file') return status.deviceNumber === (entry.deviceNumber ?? 0n);
    const sha256 = entry.content?.sha256;
    if (sha256 === undefined || status.size !== entry.content?.size) return false;
    let file: number;
    try {
      file = place.folder.openFile(place.name);
    } catch (error) {
      if (systemCodeOf(error) === 'EACCES') return false;
      throw error;
    }
    try {
      return (await hashOfOpen(file, status.size, this.#signal)).equals(sha256);
    } finally {
      fs.closeSync(file);
    }
  }
}
