import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { systemCode } from '../error/system-code.ts';
import type { FileOperations } from './file-operations.ts';

/** A folder that was deleted and made again under the same name is another one. */
function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}/${ino}/${birthtimeNs}`;
}

/** Makes what was put into, or taken out of, a folder durable. */
export async function syncFolder({ open }: FileOperations, folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The folders of a repository whose names are known to be durable. The root is made only while nobody has seen it: one
 * that was there and is gone is a disk that is not mounted, and must not be taken for an empty repository.
 */
export class DurableFolders {
  readonly root: string;
  private readonly files: FileOperations;
  private readonly durable = new Map<string, string>();
  private seenRoot: string | undefined;

  constructor(root: string, files: FileOperations) {
    this.root = root;
    this.files = files;
  }

  /** To be called when something in the repository was found. */
  async sawRoot(): Promise<void> {
    this.seenRoot ??= rootIdentity(await this.files.stat(this.root, { bigint: true }));
  }

  /** @throws the system's ENOENT or ENODEV when the root was there before and is not, or is another folder now. */
  async assertRoot(): Promise<void> {
    if (this.seenRoot === undefined) return;
    const found = rootIdentity(await this.files.stat(this.root, { bigint: true }));
    if (found === this.seenRoot) return;
    throw Object.assign(new Error('another folder lies there now'), { code: 'ENODEV' });
  }

  /** Makes a folder and those above it, and makes their names durable. */
  async make(folder: string): Promise<void> {
    if (this.durable.has(folder)) return;
    if (folder === this.root) await this.makeRoot();
    else {
      const parent = path.dirname(folder);
      await this.make(parent);
      await this.files.mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
        if (systemCode(error) !== 'EEXIST') throw error;
      });
      const identity = identityOf(await this.files.stat(folder, { bigint: true }));
      // Also when somebody else made it: they may not have synced it yet.
      await syncFolder(this.files, parent);
      this.durable.set(folder, identity);
    }
  }

  private async makeRoot(): Promise<void> {
    if (this.seenRoot !== undefined) return await this.assertRoot();
    const first = await this.files.mkdir(this.root, { recursive: true, mode: 0o700 });
    // The folders above a repository are its operator's; one that was there may not even be readable to us.
    if (first !== undefined) await syncFolder(this.files, path.dirname(this.root));
    await this.sawRoot();
  }

  /** Whether a folder that holds something now is the one whose name was made durable. */
  async isDurable(folder: string): Promise<boolean> {
    if (folder === this.root) return true;
    return this.durable.get(folder) === identityOf(await this.files.stat(folder, { bigint: true }));
  }

  /** Folders that may have been taken away: they are looked at again before they are used. */
  forget(folder: string): void {
    for (let at = folder; at.length > this.root.length; at = path.dirname(at)) this.durable.delete(at);
  }
}

/** Without the time of birth, which file systems over a network may tell one way now and another way later. */
function rootIdentity({ dev, ino }: BigIntStats): string {
  return `${dev}/${ino}`;
}
