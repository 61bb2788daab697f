import { CatenaError } from '@catena/events';
import type { ByteRate } from '../limit/rate-limiter.ts';
import type { ObjectStore, ObjectWriter } from '../port/object-store.ts';

export interface SinkOptions {
  readonly store: ObjectStore;
  readonly nameOf: (number: number) => string;
  /** How fast may be written. */
  readonly rate?: ByteRate;
  readonly afterCommit?: () => void;
  /** Packs that may wait for being durable before `room` waits. */
  readonly maxUncommitted: number;
  /** Bytes that may wait for being written before `room` waits. */
  readonly maxWaitingBytes: number;
}

interface SunkPack {
  tail: Promise<void>;
  writer: Promise<ObjectWriter>;
  size: number;
}

/** Writes sealed packs to the store, several side by side, and makes them durable. */
export class PackSink {
  private readonly options: SinkOptions;
  /** Packs that are not durable. */
  private readonly open = new Map<number, SunkPack>();
  private readonly work = new Set<Promise<void>>();
  private spare: ArrayBuffer[] = [];
  private waitingBytes = 0;
  private uncommitted = 0;
  private failure: { readonly error: unknown } | undefined;
  /** Resolves when it is given up: a store that hangs must not hold whoever waits for room. */
  private readonly givenUp = Promise.withResolvers<undefined>();
  /** Size of pack n at n - 1; complete after `finish`. */
  readonly sizes: number[] = [];
  bytesWritten = 0;

  constructor(options: SinkOptions) {
    this.options = options;
  }

  /** Bytes of a pack, in the pack's order. They are the sink's from now on. */
  write(number: number, bytes: Uint8Array<ArrayBuffer>, last: boolean): void {
    const pack = this.open.get(number) ?? this.begin(number);
    // Once its memory is used again elsewhere, what was written says that it has no bytes.
    const { length } = bytes;
    pack.size += length;
    this.waitingBytes += length;
    this.bytesWritten += length;
    if (last) {
      this.sizes[number - 1] = pack.size;
      this.uncommitted++;
    }
    const before = pack.tail;
    pack.tail = (async () => {
      await before;
      try {
        if (this.failure !== undefined) throw this.failure.error;
        const writer = await pack.writer;
        await this.options.rate?.take(length);
        await writer.write(bytes);
        this.spare.push(bytes.buffer);
        if (last) await this.commit(number, writer);
      } catch (error) {
        this.failure ??= { error };
      } finally {
        this.waitingBytes -= length;
        if (last) this.uncommitted--;
      }
    })();
    this.track(pack.tail);
  }

  private begin(number: number): SunkPack {
    const { store, nameOf } = this.options;
    while (this.sizes.length < number) this.sizes.push(0);
    const writer = store.create(nameOf(number));
    writer.catch(() => undefined); // the first write reports it
    const pack = { tail: Promise.resolve(), writer, size: 0 };
    this.open.set(number, pack);
    return pack;
  }

  private track(work: Promise<void>): void {
    this.work.add(work);
    void work.then(() => this.work.delete(work));
  }

  private async commit(number: number, writer: ObjectWriter): Promise<void> {
    try {
      if (!(await writer.commit()))
        throw new CatenaError(
          'vault.object-exists',
          `${this.options.nameOf(number)} exists although nobody else writes to its volume`,
        );
    } catch (error) {
      await writer.abort();
      throw error;
    }
    this.open.delete(number);
    this.options.afterCommit?.();
  }

  /** Memory of bytes that have been written. */
  takeSpare(): ArrayBuffer[] {
    const { spare } = this;
    this.spare = [];
    return spare;
  }

  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Resolves when more may be written. */
  async room(): Promise<void> {
    const { maxUncommitted, maxWaitingBytes } = this.options;
    while (
      this.failure === undefined &&
      (this.waitingBytes > maxWaitingBytes || this.uncommitted > maxUncommitted)
    )
      await Promise.race([this.givenUp.promise, ...this.work]);
    this.throwIfFailed();
  }

  /** Resolves when everything written so far has been written, and what is whole is durable. */
  async finish(): Promise<void> {
    while (this.work.size > 0) await Promise.all(this.work);
    this.throwIfFailed();
  }

  /** Nothing more is written; whoever waits for room gets the reason. */
  giveUp(reason: Error): void {
    this.failure ??= { error: reason };
    this.givenUp.resolve(undefined);
  }

  /** Gives up the packs that are not whole; the others stay. */
  async abandon(): Promise<void> {
    this.giveUp(new Error('the backup was abandoned'));
    await Promise.all(this.work);
    for (const { writer } of this.open.values())
      await writer.then(
        (begun) => begun.abort(),
        () => undefined, // was not begun
      );
  }
}
