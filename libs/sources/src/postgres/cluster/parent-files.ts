/** What the backup this one is computed from holds. */
import type { BackupWriter, StoredEntry } from '@catena/vault';

export const MANIFEST_PATH = 'backup_manifest';

export class ParentFiles {
  readonly #files: ReadonlyMap<string, StoredEntry>;

  private constructor(files: ReadonlyMap<string, StoredEntry>) {
    this.#files = files;
  }

  /** Empty for a full. Only files with content are kept. */
  static async read(writer: BackupWriter): Promise<ParentFiles> {
    const files = new Map<string, StoredEntry>();
    for await (const entry of writer.previous())
      if (entry.content !== undefined) files.set(Buffer.from(entry.path).toString('utf8'), entry);
    return new ParentFiles(files);
  }

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  find(path: string): StoredEntry | undefined {
    return this.#files.get(path);
  }

  /** The manifest the server gave with the parent. */
  get manifest(): StoredEntry | undefined {
    return this.#files.get(MANIFEST_PATH);
  }
}
