/** Notices that somebody may write to a disk while it is read: what is read then is a mixture of times. */
import {
  devicesOn,
  loopDevicesOf,
  mountsOf,
  statusOfPath,
  writesOf,
  type FileStatus,
} from '../../system-calls/index.ts';

export interface Doubt {
  readonly code: 'image.mounted' | 'image.changed';
  readonly message: string;
}

/** Watches one image between `begin` and `doubts`. */
export class ConsistencyWatch {
  readonly #path: string;
  readonly #before: FileStatus;
  readonly #writes: bigint | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.#before = statusOf(path);
    this.#writes = this.#writesSeen();
  }

  static begin(path: string): ConsistencyWatch {
    return new ConsistencyWatch(path);
  }

  /** What speaks against the image being of one moment. */
  doubts(): Doubt[] {
    return [...this.#mounted(), ...this.#changed()];
  }

  #mounted(): Doubt[] {
    const devices =
      this.#before.kind === 'blockDevice' ? [this.#before.deviceNumber] : loopDevicesOf(this.#path);
    const places = devices.flatMap(mountsOf).filter(({ readOnly }) => !readOnly);
    const [first] = places;
    if (first === undefined) return [];
    const where = [...new Set(places.map(({ path }) => `'${path}'`))].join(', ');
    return [
      {
        code: 'image.mounted',
        message: `'${this.#path}' is mounted at ${where} and can be written to while it is read: what is restored is at best what a power cut would have left. Unmount it, mount it read-only, freeze it (fsfreeze --freeze ${first.path}), or back up a snapshot of it.`,
      },
    ];
  }

  #changed(): Doubt[] {
    const after = statusOf(this.#path);
    const writes = this.#writesSeen();
    const same =
      this.#before.kind === 'blockDevice'
        ? writes === this.#writes
        : after.mtime === this.#before.mtime && after.size === this.#before.size;
    if (same) return [];
    return [
      {
        code: 'image.changed',
        message: `'${this.#path}' was written to while it was read; the backup may hold a mixture of old and new content.`,
      },
    ];
  }

  #writesSeen(): bigint | undefined {
    if (this.#before.kind !== 'blockDevice') return undefined;
    // What is built on it writes through it, but a partition's writes are counted on its own as well as on the disk.
    return devicesOn(this.#before.deviceNumber).reduce<bigint | undefined>((sum, device) => {
      const writes = writesOf(device);
      return writes === undefined ? sum : (sum ?? 0n) + writes;
    }, undefined);
  }
}

function statusOf(path: string): FileStatus {
  return statusOfPath(Buffer.from(path));
}
