/** The backup of an image: one entry whose content is the disk. */
import type { BackupWriter, Entry, StoredEntry } from '@catena/vault';
import type { BackupOptions, BackupOutcome } from '../../port/source-driver.ts';
import { EntryMaker } from '../../files/reading/entry-of.ts';
import { endAfter } from '../../files/reading/end-after.ts';
import { ProgressMeter } from '../../files/progress-meter.ts';
import { isUnchanged } from '../../files/unchanged.ts';
import { byteStringOf, bytesOf, type ByteString } from '../../system-calls/index.ts';
import { ConsistencyWatch } from './consistency.ts';
import { ImageContent } from './image-content.ts';
import type { ImageSource } from './image-source.ts';

/** The name of an image in its backup. */
export const imageName: ByteString = byteStringOf(Buffer.from('disk.img'));

/** So many stretches that cannot be read are named one by one. */
const mostBadStretches = 100;

/** What the manifest says of an image in clear. */
type Details = Record<string, string | number | boolean>;

export class ImageBackup {
  readonly #source: ImageSource;
  readonly #writer: BackupWriter;
  readonly #options: BackupOptions;
  readonly #meter: ProgressMeter;
  #warnings = 0;

  constructor(source: ImageSource, writer: BackupWriter, options: BackupOptions) {
    this.#source = source;
    this.#writer = writer;
    this.#options = options;
    this.#meter = new ProgressMeter(options.progress);
  }

  async run(): Promise<BackupOutcome> {
    const { signal, previousEnd } = this.#options;
    signal?.throwIfAborted();
    const began = new Date();
    const size = await this.#source.size();
    this.#meter.expect({ files: 1, bytes: Number(size) });
    const before = await this.#imageBefore();
    const entry = this.#entry(began, size);
    await this.#writer.add(rootOf(entry));
    const isSame = before !== undefined && (await this.#isAsBefore(entry, before));
    const bytesRead = isSame ? await this.#keep(entry, before) : await this.#read(entry, before);
    this.#meter.finish();
    return {
      files: 1,
      bytes: this.#meter.bytes,
      filesRead: isSame ? 0 : 1,
      bytesRead,
      unchanged: isSame ? 1 : 0,
      warnings: this.#warnings,
      summary: {
        asOf: began,
        position: { end: endAfter(began, previousEnd) },
        driverDetails: await this.#details(size),
      },
    };
  }

  async #imageBefore(): Promise<StoredEntry | undefined> {
    for await (const entry of this.#writer.previous()) {
      if (byteStringOf(entry.path) === imageName && entry.content !== undefined) return entry;
    }
    return undefined;
  }

  /** A device has no times of its own: it is as old as the reading. */
  #entry(began: Date, size: bigint): Entry {
    const status = this.#source.status();
    const entries = new EntryMaker();
    const path = bytesOf(imageName);
    if (status.kind === 'file') {
      const entry = entries.of(path, status);
      const found = { path: imageName, name: this.#source.name, folder: this.#source.folder, status };
      const warn = (code: string, message: string): void => this.#warn(code, message);
      return { ...entries.complete(found, entry, warn), size };
    }
    const now = BigInt(began.getTime()) * 1_000_000n;
    const asFile = {
      ...status,
      kind: 'file' as const,
      deviceNumber: 0n,
      mode: 0o600,
      mtime: now,
      ctime: now,
    };
    return { ...entries.of(path, asFile), size };
  }

  /** Whether the file was not touched since the parent read it. A device must be read to know. */
  async #isAsBefore(entry: Entry, before: StoredEntry): Promise<boolean> {
    if (this.#source.isDevice || !isUnchanged(entry, before)) return false;
    if (this.#source.spec.format === 'raw') return true;
    // What another file contributes may have changed without a trace in this one.
    return !(await this.#source.virtualDisk()).hasBackingFile;
  }

  async #keep(entry: Entry, before: StoredEntry): Promise<number> {
    await this.#writer.add(entry, { asBefore: before });
    this.#meter.add(1, Number(entry.size), imageName);
    return 0;
  }

  async #read(entry: Entry, before: StoredEntry | undefined): Promise<number> {
    const readAt = BigInt(Date.now()) * 1_000_000n;
    const watch = ConsistencyWatch.begin(this.#source.path);
    const disk = await this.#source.openDisk();
    try {
      const passed = (bytes: number): void => this.#meter.add(0, bytes, imageName);
      const content = new ImageContent(disk, passed, this.#options.signal);
      await this.#writer.add(entry, { read: content, ...(before ? { before } : {}), readAt });
      this.#meter.add(1, 0, imageName);
      this.#tellOf(content, watch);
      return Number(content.bytesRead);
    } finally {
      await disk.close();
    }
  }

  #tellOf(content: ImageContent, watch: ConsistencyWatch): void {
    const { path } = this.#source;
    for (const { start, end, reason } of content.bad.slice(0, mostBadStretches)) {
      const what = `Bytes ${start} to ${end - 1n} of '${path}' cannot be read (${reason})`;
      this.#warn('image.unreadable', `${what}; the backup has zeros there.`);
    }
    const more = content.bad.length - mostBadStretches;
    if (more > 0) {
      const bytes = content.bad
        .slice(mostBadStretches)
        .reduce((sum, { start, end }) => sum + end - start, 0n);
      this.#warn('image.unreadable', `${more} more stretches of '${path}', ${bytes} bytes, cannot be read.`);
    }
    if (content.endedEarly) {
      this.#warn(
        'image.cutShort',
        `'${path}' became shorter while it was read; the backup ends where it did.`,
      );
    }
    for (const { code, message } of watch.doubts()) this.#warn(code, message);
  }

  async #details(size: bigint): Promise<Details> {
    const { spec, isDevice } = this.#source;
    return {
      imageFormat: spec.format,
      imageOf: isDevice ? 'device' : 'file',
      imageBytes: Number(size),
      ...(spec.format === 'qcow2' ? { clusterBytes: (await this.#source.virtualDisk()).clusterSize } : {}),
    };
  }

  #warn(code: string, message: string): void {
    this.#warnings += 1;
    this.#writer.warn({ path: bytesOf(imageName), code, message });
  }
}

/** The folder that the image is in, so that a backup is a tree like any other. */
function rootOf({ uid, gid, user, group, mtime, ctime }: Entry): Entry {
  return {
    ...{ path: new Uint8Array(0), kind: 'folder', mode: 0o700, uid, gid, mtime, ctime },
    ...{ inode: 0n, device: 0n, size: 0n },
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
  };
}
