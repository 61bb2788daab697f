import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ObjectMissingError } from '../error/object-missing-error.ts';
import { StoreError } from '../error/store-error.ts';
import { systemCode } from '../error/system-code.ts';
import type { ObjectStore, ObjectWriter, StoredObject, UnfinishedObject } from '../port/object-store.ts';
import { DurableFolders, syncFolder } from './durable-folders.ts';
import type { FileOperations } from './file-operations.ts';
import { systemFiles } from './file-operations.ts';
import { HandleCache, type HandleLease } from './handle-cache.ts';
import { createUnfinished, listUnfinished, UNFINISHED } from './unfinished-files.ts';

/** How often a folder is made again that deletes took away while something was put into it. */
const FOLDER_TRIES = 10;
/** What it means that the first name of an object was not removed: it is gone, or nothing may be deleted here. */
const NO_TEMPORARY = new Set(['ENOENT', 'EPERM', 'EACCES']);
/** No object of that name can be there. */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);
/** What it means that a folder is not empty any more, gone already, or a mount point. */
const NOT_REMOVED = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'EPERM', 'EACCES']);

/**
 * A repository in a folder. An object is written to a file of its own, synced, linked to its name (which fails when
 * the name is taken), and the folder is synced. Files are never opened for writing again.
 */
export class FsStore implements ObjectStore {
  readonly location: string;
  private readonly files: FileOperations;
  private readonly handles: HandleCache;
  private readonly folders: DurableFolders;

  constructor(root: string, files: FileOperations = systemFiles) {
    this.location = path.resolve(root);
    this.files = files;
    this.handles = new HandleCache(files, 64);
    this.folders = new DurableFolders(this.location, files);
  }

  private file(name: string): string {
    const file = path.join(this.location, name);
    const inside = file.startsWith(this.location + path.sep);
    if (!inside || name.split('/').some((part) => part === '' || part.startsWith('.')))
      throw new StoreError('use', name, this.location, new Error('not a name an object can have'));
    return file;
  }

  private async guard<T>(action: string, name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreError || error instanceof ObjectMissingError) throw error;
      throw new StoreError(action, name, this.location, error);
    }
  }

  async putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    const writer = await this.create(name);
    try {
      await writer.write(bytes);
      return await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  private get unfinished(): string {
    return path.join(this.location, UNFINISHED);
  }

  async create(name: string): Promise<ObjectWriter> {
    const file = this.file(name);
    return this.guard('create', name, async () => {
      await this.folders.make(this.unfinished);
      const { file: temporary, handle } = await createUnfinished(this.files, this.unfinished);
      return this.writer(name, file, temporary, handle);
    });
  }

  private writer(name: string, file: string, temporary: string, handle: FileHandle): ObjectWriter {
    let isOpen = true;
    const close = async () => {
      if (!isOpen) return;
      isOpen = false;
      await handle.close();
    };
    return {
      write: (bytes) =>
        this.guard('write', name, async () => {
          let done = 0;
          while (done < bytes.length) done += (await handle.write(bytes, done)).bytesWritten;
        }),
      commit: () =>
        this.guard('commit', name, async () => {
          await handle.sync();
          await close();
          const created = await this.linkInFolder(temporary, file);
          await syncFolder(this.files, path.dirname(file));
          await this.removeTemporary(temporary);
          return created;
        }),
      abort: () =>
        this.guard('abort', name, async () => {
          await close();
          await this.removeTemporary(temporary);
        }),
    };
  }

  /**
   * The object is there, or given up: its first name is of no use any more. Where a writer may add and not delete it stays
   * as a second name, for whoever may sweep.
   */
  private async removeTemporary(temporary: string): Promise<void> {
    await this.files.unlink(temporary).catch((error: unknown) => {
      if (!NO_TEMPORARY.has(systemCode(error) ?? '')) throw error;
    });
  }

  /** Again when the folder went away between being made and being used: a delete had left it empty. */
  private async linkInFolder(temporary: string, file: string): Promise<boolean> {
    const folder = path.dirname(file);
    let created = false;
    for (let tried = 1; ; tried++) {
      try {
        await this.folders.make(folder);
        created = (await this.linkIfAbsent(temporary, file)) || created;
        // Others may have made the folder again without having synced its name yet.
        if (!(await this.folders.isDurable(folder))) {
          this.folders.forget(folder);
          await this.folders.make(folder);
        }
        return created;
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' || tried === FOLDER_TRIES) throw error;
        await this.folders.assertRoot();
        this.folders.forget(folder);
      }
    }
  }

  private linkIfAbsent(temporary: string, file: string): Promise<boolean> {
    return this.files.link(temporary, file).then(
      () => true,
      (error: unknown) => {
        if (systemCode(error) === 'EEXIST') return false;
        throw error;
      },
    );
  }

  /** Takes the folder away that a delete left empty; the ones above are few, and others are at work in them. */
  private async removeIfEmpty(folder: string): Promise<void> {
    if (folder === this.location) return;
    await this.files.rmdir(folder).catch((error: unknown) => {
      if (!NOT_REMOVED.has(systemCode(error) ?? '')) throw error;
    });
    this.folders.forget(folder);
  }

  async read(name: string, offset: number, length: number): Promise<Uint8Array> {
    const file = this.file(name);
    return this.guard('read', name, async () => {
      const lease = await this.leaseIfThere(file);
      if (lease === undefined) {
        await this.folders.assertRoot();
        throw new ObjectMissingError(name, this.location);
      }
      try {
        const bytes = Buffer.allocUnsafeSlow(length);
        let done = 0;
        while (done < length) {
          const { bytesRead } = await lease.handle.read(bytes, done, length - done, offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return done === length ? bytes : bytes.subarray(0, done);
      } finally {
        await lease.release();
      }
    });
  }

  async openDescriptor(
    name: string,
  ): Promise<{ descriptor: number; release: () => Promise<void> } | undefined> {
    const file = this.file(name);
    return this.guard('open', name, async () => {
      const lease = await this.leaseIfThere(file);
      return lease && { descriptor: lease.handle.fd, release: lease.release };
    });
  }

  private async leaseIfThere(file: string): Promise<HandleLease | undefined> {
    try {
      return await this.handles.lease(file);
    } catch (error) {
      if (MISSING.has(systemCode(error) ?? '')) return undefined;
      throw error;
    }
  }

  async size(name: string): Promise<number | undefined> {
    const file = this.file(name);
    return this.guard('look at', name, async () => {
      const found = await this.files.stat(file).catch((error: unknown) => {
        if (MISSING.has(systemCode(error) ?? '')) return undefined;
        throw error;
      });
      await (found === undefined ? this.folders.assertRoot() : this.folders.sawRoot());
      return found?.isFile() === true ? found.size : undefined;
    });
  }

  private folder(prefix: string): string {
    if (prefix === '') return this.location;
    if (!prefix.endsWith('/'))
      throw new StoreError('list', prefix, this.location, new Error('a folder ends in /'));
    return this.file(prefix.slice(0, -1));
  }

  async listFolder(prefix: string): Promise<{ objects: StoredObject[]; folders: string[] }> {
    const folder = this.folder(prefix);
    return this.guard('list', prefix, async () => {
      const found = await this.files.readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
        if (systemCode(error) === 'ENOENT') return undefined;
        throw error;
      });
      if (found === undefined) {
        await this.folders.assertRoot();
        return { objects: [], folders: [] };
      }
      const visible = found.filter((item) => !item.name.startsWith('.'));
      const folders = visible.filter((item) => item.isDirectory()).map((item) => item.name);
      const objects: StoredObject[] = [];
      for (const item of visible.filter((candidate) => candidate.isFile())) {
        const size = await this.size(prefix + item.name);
        // Deleted since the folder was read.
        if (size !== undefined) objects.push({ name: prefix + item.name, size });
      }
      objects.sort((a, b) => (a.name < b.name ? -1 : 1));
      return { objects, folders: folders.sort() };
    });
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const { objects, folders } = await this.listFolder(prefix);
    yield* objects;
    for (const folder of folders) yield* this.list(`${prefix}${folder}/`);
  }

  async delete(name: string): Promise<boolean> {
    const file = this.file(name);
    return this.guard('delete', name, async () => {
      await this.handles.forget(file);
      const gone = await this.files.unlink(file).then(
        () => true,
        (error: unknown) => {
          if (systemCode(error) === 'ENOENT') return false;
          throw error;
        },
      );
      if (!gone) return false;
      const folder = path.dirname(file);
      await syncFolder(this.files, folder).catch((error: unknown) => {
        // Another delete has taken the empty folder away already.
        if (systemCode(error) !== 'ENOENT') throw error;
      });
      await this.removeIfEmpty(folder);
      return true;
    });
  }

  listUnfinished(): Promise<readonly UnfinishedObject[]> {
    return this.guard('list', UNFINISHED, () => listUnfinished(this.files, this.unfinished));
  }

  async removeUnfinished(name: string): Promise<boolean> {
    if (name.includes('/') || name.startsWith('.'))
      throw new StoreError('remove', name, this.location, new Error('not the name of an unfinished object'));
    return this.guard('remove', `${UNFINISHED}/${name}`, () =>
      this.files.unlink(path.join(this.unfinished, name)).then(
        () => true,
        (error: unknown) => {
          if (systemCode(error) === 'ENOENT') return false;
          throw error;
        },
      ),
    );
  }

  freeBytes(): Promise<number | undefined> {
    return this.guard('ask the space of', '', async () => {
      const { bavail, bsize } = await this.files.statfs(this.location, { bigint: true });
      return Number(bavail * bsize);
    });
  }

  async close(): Promise<void> {
    await this.handles.close();
  }
}
