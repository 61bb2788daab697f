/** The files of a log backup: segments, or the ends of such, and the histories of timelines, as a restore finds them. */
import { comparePaths, type BackupWriter, type Entry, type StoredHandle } from '@catena/vault';
import type { ProgressMeter } from '../../files/progress-meter.ts';
import { byteStringOf } from '../../system-calls/index.ts';

/** Where a restore finds the log: as in the data folder it goes to. */
export const LOG_FOLDER = 'pg_wal';
/** What was committed in each segment; see docs/postgres.md. */
export const SEGMENTS_FILE = 'segments.json';
const PART = /^([0-9A-F]{24})\.from\.([0-9A-F]{8})$/;

/** The name of what a segment holds from an offset on; what comes before is in the log backup before. */
export function partName(segment: string, offset: bigint): string {
  if (offset === 0n) return segment;
  return `${segment}.from.${offset.toString(16).toUpperCase().padStart(8, '0')}`;
}

/** The segment and the offset that a name stands for; undefined when it is none of a part. */
export function readPartName(name: string): { segment: string; offset: number } | undefined {
  const [, segment, offset] = PART.exec(name) ?? [];
  return segment === undefined || offset === undefined
    ? undefined
    : { segment, offset: Number.parseInt(offset, 16) };
}

interface StoredFile {
  readonly path: string;
  readonly content: StoredHandle;
}

export class LogFiles {
  readonly #writer: BackupWriter;
  readonly #meter: ProgressMeter;
  readonly #now: () => Date;
  readonly #files: StoredFile[] = [];
  #bytes = 0;

  constructor(writer: BackupWriter, meter: ProgressMeter, now: () => Date) {
    this.#writer = writer;
    this.#meter = meter;
    this.#now = now;
  }

  get count(): number {
    return this.#files.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param size what a whole segment would have */
  async storeSegment(name: string, size: bigint, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const path = `${LOG_FOLDER}/${name}`;
    const content = { read: { sizeHint: size, open: () => bytes } };
    this.#keep(path, await this.#writer.store(content, this.#entry(path, size)));
  }

  /** @param path as in the backup */
  async storeText(path: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const open = async function* () {
      yield await Promise.resolve(bytes);
    };
    const entry = this.#entry(path, BigInt(bytes.length));
    this.#keep(path, await this.#writer.store({ read: { sizeHint: entry.size, open } }, entry));
  }

  /** Names all that was stored. */
  async addAll(): Promise<void> {
    for (const path of ['', LOG_FOLDER]) await this.#writer.add(this.#entry(path, undefined));
    const inOrder = this.#files.toSorted((a, b) => comparePaths(Buffer.from(a.path), Buffer.from(b.path)));
    for (const { path, content } of inOrder)
      await this.#writer.add(this.#entry(path, content.size), { stored: content });
  }

  #keep(path: string, content: StoredHandle): void {
    this.#files.push({ path, content });
    this.#bytes += Number(content.size);
    this.#meter.add(1, Number(content.size), byteStringOf(Buffer.from(path)));
  }

  /** Files of a server have no identity of their own out here. */
  #entry(path: string, size: bigint | undefined): Entry {
    const now = BigInt(this.#now().getTime()) * 1_000_000n;
    return {
      path: Buffer.from(path),
      kind: size === undefined ? 'folder' : 'file',
      mode: size === undefined ? 0o700 : 0o600,
      ...{ uid: 0, gid: 0, mtime: now, ctime: now, inode: 0n, device: 0n, size: size ?? 0n },
    };
  }
}
