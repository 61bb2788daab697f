import type { FileHandle } from 'node:fs/promises';
import type { FileOperations } from './file-operations.ts';

interface Slot {
  readonly opening: Promise<FileHandle>;
  users: number;
  forgotten: boolean;
}

export interface HandleLease {
  readonly handle: FileHandle;
  readonly release: () => Promise<void>;
}

/** Keeps the most recently read files open, because a restore reads thousands of ranges from few of them. */
export class HandleCache {
  private readonly slots = new Map<string, Slot>();
  private readonly files: FileOperations;
  private readonly limit: number;

  constructor(files: FileOperations, limit: number) {
    this.files = files;
    this.limit = limit;
  }

  async lease(file: string): Promise<HandleLease> {
    let slot = this.slots.get(file);
    if (slot === undefined) {
      slot = { opening: this.files.open(file, 'r'), users: 0, forgotten: false };
      slot.opening.catch(() => this.slots.delete(file));
    } else {
      this.slots.delete(file);
    }
    this.slots.set(file, slot);
    slot.users++;
    const taken = slot;
    const release = async () => {
      taken.users--;
      if (taken.forgotten && taken.users === 0) await (await taken.opening).close();
      await this.trim();
    };
    return { handle: await slot.opening, release };
  }

  private async trim(): Promise<void> {
    for (const [file, slot] of this.slots) {
      if (this.slots.size <= this.limit) return;
      if (slot.users === 0) await this.forget(file);
    }
  }

  async forget(file: string): Promise<void> {
    const slot = this.slots.get(file);
    if (slot === undefined) return;
    this.slots.delete(file);
    slot.forgotten = true;
    if (slot.users === 0) await (await slot.opening).close();
  }

  async close(): Promise<void> {
    for (const file of [...this.slots.keys()]) await this.forget(file);
  }
}
