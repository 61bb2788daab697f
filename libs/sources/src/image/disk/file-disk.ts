import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { dataAfter, punchHole } from '../../system-calls/index.ts';
import type { Stretch, WritableDisk } from './disk.ts';

const read = promisify(fs.read);
const write = promisify(fs.write);
const fsync = promisify(fs.fsync);
const zeros = Buffer.alloc(1024 * 1024);

/** A file or a block device as it is. */
export class FileDisk implements WritableDisk {
  readonly size: bigint;
  readonly fd: number;
  readonly #sparse: boolean;
  #canPunch = true;

  /**
   * @param fd open; closed with the disk
   * @param options `sparse`: holes are looked for, so that they are not read (files only)
   */
  constructor(fd: number, size: bigint, options: { sparse: boolean }) {
    this.fd = fd;
    this.size = size;
    this.#sparse = options.sparse;
  }

  async read(offset: bigint, into: Buffer): Promise<Stretch> {
    let wanted = Math.min(into.length, Number(this.size - offset));
    if (wanted <= 0) return { length: 0, zeros: false };
    if (this.#sparse) {
      const data = dataAfter(this.fd, offset) ?? this.#end();
      const hole = Number(data.start - offset);
      if (hole > 0) return { length: Math.min(hole, wanted), zeros: true };
      if (data.end <= offset) return { length: 0, zeros: false };
      wanted = Math.min(wanted, Number(data.end - offset));
    }
    const { bytesRead } = await read(this.fd, into, 0, wanted, offset);
    return { length: bytesRead, zeros: false };
  }

  /** Where the file ends by now: what is cut off is no hole. */
  #end(): { start: bigint; end: bigint } {
    const now = BigInt(fs.fstatSync(this.fd).size);
    const end = now < this.size ? now : this.size;
    return { start: end, end };
  }

  async write(offset: bigint, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const at = Number(offset) + done;
      done += (await write(this.fd, bytes, done, bytes.length - done, at)).bytesWritten;
    }
  }

  async clear(offset: bigint, length: number): Promise<void> {
    if (this.#canPunch) this.#canPunch = await punchHole(this.fd, offset, BigInt(length));
    if (this.#canPunch) return;
    for (let done = 0; done < length; done += zeros.length) {
      await this.write(offset + BigInt(done), zeros.subarray(0, Math.min(zeros.length, length - done)));
    }
  }

  async flush(): Promise<void> {
    await fsync(this.fd);
  }

  async close(): Promise<void> {
    fs.closeSync(this.fd);
  }
}
