import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { systemFiles, type FileOperations } from '../store/file-operations.ts';

/** A file or folder, whatever its names are. */
export interface Node {
  readonly id: number;
  readonly kind: 'file' | 'folder';
}

/** A change that a power cut may take back until what it was made to is synced. */
export interface Change {
  /** What must be synced for it to stay: the file that was written to, or the folder in which a name has changed. */
  readonly of: Node;
  readonly what:
    | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
    | { readonly kind: 'name'; readonly name: string; readonly node: Node | undefined };
  /** When it was begun, in steps. From then on it may be on the disk. */
  readonly begun: number;
  /** When it was done: a sync that begins later covers it. */
  done: number;
}

interface Sync {
  readonly of: Node;
  readonly begun: number;
  readonly done: number;
}

/** Something that a caller was told to be done, and when. */
export interface Acknowledged {
  readonly what: string;
  readonly at: number;
}

/**
 * Records every change that a folder store makes to a real folder, and every sync, so that what a power cut may leave at
 * any moment can be told: everything that was synced, and any part of the rest.
 */
export class DiskRecorder {
  readonly changes: Change[] = [];
  readonly syncs: Sync[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly root: Node = { id: 0, kind: 'folder' };
  readonly files: FileOperations;
  private readonly system: FileOperations;
  private readonly names = new Map<string, Node>();
  /** Names whose change has been asked of the system and not been noted here yet. */
  private readonly changing = new Map<string, Promise<unknown>>();
  private nodes = 0;
  private step = 0;

  /**
   * @param folder that is there, and durable
   * @param system what really changes it
   */
  constructor(folder: string, system: FileOperations = systemFiles) {
    this.system = system;
    this.names.set(path.resolve(folder), this.root);
    this.files = this.operations();
  }

  get steps(): number {
    return this.step;
  }

  /** Notes that somebody was told of something. */
  acknowledge(what: string): void {
    this.acknowledged.push({ what, at: ++this.step });
  }

  private node(file: string): Node {
    const node = this.names.get(path.resolve(file));
    if (node === undefined) throw new Error(`${file} was not made under this recorder`);
    return node;
  }

  private fresh(kind: Node['kind']): Node {
    return { id: ++this.nodes, kind };
  }

  /** Records a change around the call that makes it. One that fails has changed nothing. */
  private async change<T>(of: Node, what: Change['what'], call: () => Promise<T>): Promise<T> {
    const change: Change = { of, what, begun: ++this.step, done: Infinity };
    this.changes.push(change);
    try {
      const result = await call();
      change.done = ++this.step;
      return result;
    } catch (error) {
      this.changes.splice(this.changes.indexOf(change), 1);
      throw error;
    }
  }

  /** One that fails says so after whoever got there first is noted: the caller may go on with what they made. */
  private async naming<T>(file: string, node: Node | undefined, call: () => Promise<T>): Promise<T> {
    const name = path.resolve(file);
    const folder = this.node(path.dirname(file));
    const before = this.changing.get(name);
    const changed = this.change(folder, { kind: 'name', name: path.basename(file), node }, async () => {
      const result = await call();
      if (node === undefined) this.names.delete(name);
      else this.names.set(name, node);
      return result;
    });
    const noted = Promise.allSettled([before, changed]);
    this.changing.set(name, noted);
    try {
      return await changed;
    } catch (error) {
      await noted;
      throw error;
    } finally {
      if (this.changing.get(name) === noted) this.changing.delete(name);
    }
  }

  private operations(): FileOperations {
    const open = async (file: string, flags: string, mode?: number): Promise<FileHandle> => {
      if (flags === 'r')
        return this.handle(await this.system.open(file, flags), this.names.get(path.resolve(file)));
      if (flags !== 'wx') throw new Error(`files are opened as ${flags}, which is not recorded`);
      const node = this.fresh('file');
      return this.handle(await this.naming(file, node, () => this.system.open(file, flags, mode)), node);
    };
    const mkdir = (folder: string, options: { recursive?: boolean; mode?: number }) =>
      options.recursive === true
        ? this.system.mkdir(folder, options)
        : this.naming(folder, this.fresh('folder'), () => this.system.mkdir(folder, options));
    const operations = {
      ...this.system,
      open,
      mkdir,
      link: (from: string, to: string) => this.naming(to, this.node(from), () => this.system.link(from, to)),
      unlink: (file: string) => this.naming(file, undefined, () => this.system.unlink(file)),
      rmdir: (folder: string) => this.naming(folder, undefined, () => this.system.rmdir(folder)),
    };
    return operations as unknown as FileOperations;
  }

  /** Only what a store does with its handles. */
  private handle(real: FileHandle, node: Node | undefined): FileHandle {
    let end = 0;
    const handle = {
      read: real.read.bind(real),
      stat: real.stat.bind(real),
      close: () => real.close(),
      write: (bytes: Uint8Array, from = 0) => {
        if (node === undefined) throw new Error('a file is written to that is open for reading');
        const piece = Uint8Array.from(bytes.subarray(from));
        const at = end;
        end += piece.length;
        return this.change(node, { kind: 'write', at, bytes: piece }, () => real.write(bytes, from));
      },
      sync: async () => {
        const begun = ++this.step;
        await real.sync();
        if (node !== undefined) this.syncs.push({ of: node, begun, done: ++this.step });
      },
    };
    return handle as unknown as FileHandle;
  }
}
