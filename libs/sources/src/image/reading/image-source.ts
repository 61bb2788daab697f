/** Finds and opens what an image source names. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SourceError } from '../../port/source-error.ts';
import {
  byteStringOf,
  FolderHandle,
  forgetCached,
  sizeOfOpen,
  systemCodeOf,
  type ByteString,
  type FileStatus,
} from '../../system-calls/index.ts';
import type { Disk } from '../disk/disk.ts';
import { FileDisk } from '../disk/file-disk.ts';
import { familyOfDevice, familyOfFile } from '../image-family.ts';
import type { ImageSpec } from '../image-spec.ts';
import { qcow2Info, requireQemuTools, type VirtualDiskInfo } from '../qcow2/qemu-tools.ts';
import { Qcow2Disk } from '../qcow2/qcow2-disk.ts';

const { O_RDONLY, O_NOATIME } = fs.constants;

/** A file or device that holds an image, held by the folder it is in. */
export class ImageSource {
  readonly spec: ImageSpec;
  /** Without symbolic links. */
  readonly path: string;
  readonly folder: FolderHandle;
  readonly name: ByteString;
  #virtualDisk: Promise<VirtualDiskInfo> | undefined;

  private constructor(spec: ImageSpec, real: string) {
    this.spec = spec;
    this.path = real;
    this.folder = FolderHandle.open(Buffer.from(path.dirname(real)));
    this.name = byteStringOf(Buffer.from(path.basename(real)));
  }

  /** Throws `SourceError` when there is nothing that can be read as an image. */
  static find(spec: ImageSpec): ImageSource {
    try {
      const source = new ImageSource(spec, fs.realpathSync(spec.path));
      try {
        source.#refuseWrongKind();
        fs.closeSync(source.#open());
        return source;
      } catch (error) {
        source.folder.close();
        throw error;
      }
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === undefined) throw error;
      throw code === 'EACCES' || code === 'EPERM' ? notReadable(spec, code) : notFound(spec, code);
    }
  }

  status(): FileStatus {
    return this.folder.status(this.name);
  }

  get isDevice(): boolean {
    return this.status().kind === 'blockDevice';
  }

  /** Throws `SourceError` where the format cannot be read here. */
  async requireFormat(): Promise<void> {
    if (this.spec.format === 'raw') return;
    requireQemuTools();
    await this.virtualDisk();
  }

  /** What a qcow2 file says of the disk in it; asked for once. */
  virtualDisk(): Promise<VirtualDiskInfo> {
    this.#virtualDisk ??= qcow2Info(this.path);
    return this.#virtualDisk;
  }

  async size(): Promise<bigint> {
    if (this.spec.format === 'qcow2') return (await this.virtualDisk()).size;
    const file = this.#open();
    try {
      return sizeOfOpen(file);
    } finally {
      fs.closeSync(file);
    }
  }

  family(): string {
    const { kind, deviceNumber } = this.status();
    if (kind === 'file') return familyOfFile(this.path);
    const file = this.#open();
    try {
      return familyOfDevice(this.path, deviceNumber, file);
    } finally {
      fs.closeSync(file);
    }
  }

  /** Opens what is to be backed up: the disk's bytes. The caller closes it. */
  async openDisk(): Promise<Disk> {
    if (this.spec.format === 'qcow2') return Qcow2Disk.open(this.path, 'read');
    const file = this.#open();
    if (this.isDevice) forgetCached(file);
    return new FileDisk(file, sizeOfOpen(file), { sparse: !this.isDevice });
  }

  [Symbol.dispose](): void {
    this.folder.close();
  }

  #open(): number {
    try {
      return this.folder.openFile(this.name, O_RDONLY | O_NOATIME);
    } catch (error) {
      // Only the owner may leave the access time alone.
      if (systemCodeOf(error) !== 'EPERM') throw error;
      return this.folder.openFile(this.name, O_RDONLY);
    }
  }

  #refuseWrongKind(): void {
    const { kind } = this.status();
    if (kind === 'file' || (kind === 'blockDevice' && this.spec.format === 'raw')) return;
    throw new SourceError(
      'source.notSupported',
      kind === 'blockDevice'
        ? `'${this.spec.path}' is a device; only a file can be read as ${this.spec.format}.`
        : `'${this.spec.path}' is a ${kind}, neither a block device nor a file.`,
      {
        remedy:
          kind === 'folder'
            ? 'Use driver: files for a folder.'
            : 'Name a disk, a partition, a volume or an image file; use format: raw for a device.',
        details: { path: this.spec.path, kind },
      },
    );
  }
}

function notReadable(spec: ImageSpec, code: string): SourceError {
  return new SourceError('source.notReadable', `The source '${spec.path}' cannot be read (${code}).`, {
    remedy:
      'Give the user that the mover runs as the right to read it (for a device: the group disk), or run the mover as root.',
    details: { path: spec.path },
  });
}

function notFound(spec: ImageSpec, code: string): SourceError {
  return new SourceError('source.notFound', `The source path '${spec.path}' cannot be found (${code}).`, {
    remedy: 'Correct the path in the Source definition, or attach the disk.',
    retryable: true,
    details: { path: spec.path },
  });
}
