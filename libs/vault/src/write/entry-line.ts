import type { Entry } from '../port/entry.ts';
import type { EncodableEntry } from '../tree/entry-codec.ts';
import type { TreeWriter } from '../tree/tree-writer.ts';
import type { BackupCounts } from './backup-counts.ts';
import type { ClosureUsage } from './closure-usage.ts';
import type { ContentStorer } from './content-storer.ts';
import type { StoredResult } from './file-in-progress.ts';
import { OrderedQueue } from './ordered-queue.ts';
import type { SmallFile } from './small-files.ts';

/** Entries that may wait for their content, or that of others before them. What waits longer grows old, and is collected late. */
const MAX_WAITING = 1024;
/** So many are let go on before the next ones have to wait. */
const MANY_WAITING = 512;

export interface EntryLineParts {
  readonly tree: TreeWriter;
  readonly usage: ClosureUsage;
  readonly counts: BackupCounts;
  readonly storer: ContentStorer;
}

/** The entries of a backup on their way into its tree, in their order: each waits for its content. */
export class EntryLine {
  private readonly parts: EntryLineParts;
  private readonly queue = new OrderedQueue();
  /** Entries there were when units were closed so that those before them could go on. */
  private flushedAt = 0;
  /** Whether there is content that has no hash of all of it. */
  hashless = false;

  constructor(parts: EntryLineParts) {
    this.parts = parts;
  }

  /** Number of the newest entry. */
  get newest(): number {
    return this.queue.tasks;
  }

  /** An entry that has no content, or that of the parent. */
  push(entry: EncodableEntry): void {
    this.parts.counts.entry(entry, Number(entry.size));
    this.queue.push(() => this.parts.tree.add(entry));
  }

  /** An entry whose content is being stored; it is left out when that fails, which whoever stores it is told. */
  pushStoring(entryOf: () => Entry, readAt: bigint, storing: Promise<StoredResult>): void {
    const { counts, usage, tree } = this.parts;
    const read = storing.catch(() => undefined);
    this.queue.push(async () => {
      const stored = await read;
      if (stored === undefined) return;
      const { size, reference } = stored;
      const entry = entryOf();
      this.hashless ||= stored.sha256 === undefined;
      counts.entry(entry, size);
      const { encoded, holdings } = await reference;
      usage.content(holdings);
      await tree.add({ ...entry, size: BigInt(size), readAt, encodedContent: encoded });
    });
  }

  /** As `pushStoring`, of a small file: without a promise if everything is known when its turn comes. */
  pushSmall(entry: Entry, readAt: bigint, file: SmallFile): void {
    const { counts, usage, tree, storer } = this.parts;
    const write = (): Promise<void> | undefined => {
      if (!file.isStored)
        return file.done.promise.then(
          () => write(),
          () => undefined, // left out; whoever added it is told
        );
      const content = storer.contentOf(file);
      if (content instanceof Promise) return content.then(() => write());
      usage.content(content.holdings);
      counts.entry(entry, file.size);
      return tree.add({ ...entry, size: BigInt(file.size), readAt, encodedContent: content.encoded });
    };
    this.queue.push(write);
  }

  /** Whether few enough wait before an entry. @throws what an earlier one failed with */
  hasRoom(place: number): boolean {
    this.queue.throwIfFailed();
    // The first of them may wait for a unit on a thread that gets nothing more for a while.
    if (this.queue.waiting > MANY_WAITING && place - this.flushedAt > MANY_WAITING) {
      this.flushedAt = place;
      void this.parts.storer.flush().catch(() => undefined); // thrown to whoever stores next
    }
    return this.queue.hasEnded(place - MAX_WAITING);
  }

  /** Waits while too many entries wait before this one. */
  async room(place: number): Promise<void> {
    if (this.hasRoom(place)) return;
    await this.parts.storer.pressing(this.queue.untilEnded(place - MAX_WAITING));
  }

  /** Resolves when every entry is in the tree. @throws what one failed with */
  drain(): Promise<void> {
    return this.queue.drain();
  }

  /** Resolves when none is under way, whatever has failed. */
  settled(): Promise<void> {
    return this.queue.settled();
  }
}
