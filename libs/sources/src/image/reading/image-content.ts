import type { ContentReader } from '@catena/vault';
import { blamesOneFile, systemCodeOf } from '../../system-calls/index.ts';
import type { Disk, Stretch } from '../disk/disk.ts';

const chunkSize = 1024 * 1024;
/** Where a large reading fails, so much at a time is tried, so that as little as possible is lost. */
const smallestPart = 4096;
const zeros = Buffer.alloc(chunkSize);

/** A stretch that could not be read, and why. */
export interface BadStretch {
  readonly start: bigint;
  readonly end: bigint;
  readonly reason: string;
}

/** The content of a disk, read one chunk ahead of who asks for it. Holes are not read. */
export class ImageContent implements ContentReader {
  readonly sizeHint: bigint;
  /** Bytes that were read: all but holes. */
  bytesRead = 0n;
  /** Zeros are given for what could not be read. */
  readonly bad: BadStretch[] = [];
  /** Whether the disk ended before its size, which it may do while somebody cuts it short. */
  endedEarly = false;
  readonly #disk: Disk;
  readonly #passed: (bytes: number) => void;
  readonly #signal: AbortSignal | undefined;

  /** @param passed hears how many bytes more have been handed out */
  constructor(disk: Disk, passed: (bytes: number) => void, signal?: AbortSignal) {
    this.#disk = disk;
    this.#passed = passed;
    this.#signal = signal;
    this.sizeHint = disk.size;
  }

  async *open(): AsyncGenerator<Uint8Array> {
    const buffers = [Buffer.allocUnsafeSlow(chunkSize), Buffer.allocUnsafeSlow(chunkSize)] as const;
    let turn = 0;
    const start = (position: bigint): Promise<Stretch> => {
      turn += 1;
      const reading = this.#read(position, buffers[turn % 2 === 0 ? 0 : 1]);
      // Awaited a round later; until then a failure is not an unhandled one.
      reading.catch(() => undefined);
      return reading;
    };
    let ahead = start(0n);
    try {
      for (let position = 0n; position < this.#disk.size;) {
        this.#signal?.throwIfAborted();
        const { length, zeros: isHole } = await ahead;
        if (length === 0) {
          this.endedEarly = true;
          return;
        }
        const buffer = isHole ? zeros : buffers[turn % 2 === 0 ? 0 : 1];
        position += BigInt(length);
        ahead = start(position);
        if (!isHole) this.bytesRead += BigInt(length);
        yield buffer.subarray(0, length);
        this.#passed(length);
      }
    } finally {
      // The disk is closed next: no reading may be under way then.
      await ahead.catch(() => undefined);
    }
  }

  async #read(position: bigint, into: Buffer): Promise<Stretch> {
    try {
      return await this.#disk.read(position, into);
    } catch (error) {
      if (!isBadSpot(error)) throw error;
      return this.#salvage(position, into);
    }
  }

  /** Reads what can be read of a stretch with bad spots; the rest is zeros. */
  async #salvage(position: bigint, into: Buffer): Promise<Stretch> {
    const left = this.#disk.size - position;
    const length = left < BigInt(into.length) ? Number(left) : into.length;
    into.fill(0, 0, length);
    for (let at = 0; at < length;) {
      // Whole parts of the disk, not of the stretch: sectors are aligned to the disk.
      const step = smallestPart - Number((position + BigInt(at)) % BigInt(smallestPart));
      const part = into.subarray(at, Math.min(at + step, length));
      at += await this.#salvagePart(position + BigInt(at), part);
    }
    return { length, zeros: false };
  }

  async #salvagePart(position: bigint, part: Buffer): Promise<number> {
    try {
      const stretch = await this.#disk.read(position, part);
      return stretch.length === 0 ? part.length : stretch.length;
    } catch (error) {
      if (!isBadSpot(error)) throw error;
      part.fill(0);
      this.#note(position, position + BigInt(part.length), systemCodeOf(error) ?? 'EIO');
      return part.length;
    }
  }

  #note(start: bigint, end: bigint, reason: string): void {
    const last = this.bad.at(-1);
    if (last?.end === start && last.reason === reason) this.bad[this.bad.length - 1] = { ...last, end };
    else this.bad.push({ start, end, reason });
  }
}

/** Errors of a medium; anything else is about more than one spot. */
function isBadSpot(error: unknown): boolean {
  return (
    blamesOneFile(error) && ['EIO', 'ENODATA', 'EILSEQ', 'EREMOTEIO'].includes(systemCodeOf(error) ?? '')
  );
}
