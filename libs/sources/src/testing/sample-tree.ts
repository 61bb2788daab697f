/** Real files of every kind, for tests: what a driver must be able to carry. */
import { createCipheriv, createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { removeTree } from '../files/restoring/remove-tree.ts';
import {
  byteStringOf,
  FolderHandle,
  kindBits,
  setExtendedAttribute,
  type ByteString,
} from '../system-calls/index.ts';

const name = (text: string) => byteStringOf(Buffer.from(text));

export const isRoot = process.geteuid?.() === 0;

/** A folder of its own that is removed with everything in it. */
export class ScratchFolder {
  readonly path = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'catena-sources-'));

  /** A path in the folder. */
  at(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  /** Writes a file with the folders above it. */
  write(name: string, content: string | Uint8Array): string {
    const file = this.at(name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    return file;
  }

  /** What this process has open in the folder. */
  openFiles(): string[] {
    return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const file = fs.readlinkSync(`/proc/self/fd/${fd}`);
        return file.startsWith(this.path) ? [file] : [];
      } catch {
        // Closed since it was listed: the listing itself was one.
        return [];
      }
    });
  }

  remove(): void {
    using parent = FolderHandle.open(Buffer.from(path.dirname(this.path)));
    removeTree(parent, name(path.basename(this.path)));
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** Bytes that look random and are the same each time. */
export function seededBytes(length: number, seed: number): Buffer {
  const key = createHash('sha256').update(`${seed}`).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return Buffer.concat([cipher.update(Buffer.alloc(length)), cipher.final()]);
}

/** An ACL as the kernel keeps it: owner rwx, user 1234 r--, group r-x, mask r-x, others ---. */
function accessControlList(): Buffer {
  const list = Buffer.alloc(4 + 5 * 8);
  list.writeUInt32LE(2, 0);
  const entries: [tag: number, rights: number, id: number][] = [
    [0x01, 7, 0xffffffff],
    [0x02, 4, 1234],
    [0x04, 5, 0xffffffff],
    [0x10, 5, 0xffffffff],
    [0x20, 0, 0xffffffff],
  ];
  entries.forEach(([tag, rights, id], index) => {
    list.writeUInt16LE(tag, 4 + index * 8);
    list.writeUInt16LE(rights, 6 + index * 8);
    list.writeUInt32LE(id, 8 + index * 8);
  });
  return list;
}

/**
 * Fills a new folder with things of every kind that this user can make.
 *
 * @param options `deep: false` leaves out what lies so deep that cp, rsync and rm cannot follow
 */
export function makeSampleTree(root: string, options: { deep: boolean } = { deep: true }): void {
  fs.mkdirSync(root, { recursive: true });
  using top = FolderHandle.open(Buffer.from(root));
  const write = (folder: FolderHandle, file: ByteString, content: string | Buffer): void => {
    const fd = folder.openFile(file, fs.constants.O_CREAT | fs.constants.O_WRONLY);
    fs.writeSync(fd, Buffer.from(content));
    fs.closeSync(fd);
  };
  const folder = (into: FolderHandle, text: ByteString): FolderHandle => {
    into.makeFolder(text);
    return into.openFolder(text);
  };

  write(top, name('plain.txt'), 'plain\n');
  write(top, name('empty'), '');
  write(top, name('a'), 'file beside a folder whose name begins alike');
  write(top, name('new\nline and "quote\' \\ back'), 'odd');
  write(top, byteStringOf(Buffer.from([0x6e, 0xff, 0xfe, 0x80])), 'no UTF-8');
  write(top, name('big'), seededBytes(3 * 1024 * 1024 + 17, 1));
  write(top, name('shebang'), '#!/bin/sh\n');
  top.setMode(name('shebang'), isRoot ? 0o6755 : 0o755);
  write(top, name('nobody may read'), 'secret');
  top.setMode(name('nobody may read'), isRoot ? 0 : 0o400);

  using sub = folder(top, name('a.b'));
  write(sub, name('x'), 'x');
  folder(sub, name('empty folder')).close();
  using odd = folder(top, byteStringOf(Buffer.from([0xe9, 0x74, 0xe9])));
  write(odd, byteStringOf(Buffer.from([0xff])), 'in a folder that is no UTF-8');
  odd.setMode(name('.'), 0o1777);

  top.makeSymlink(name('link'), Buffer.from('plain.txt'));
  top.makeSymlink(name('dangling'), Buffer.from([0x2f, 0xff, 0x2f, 0x78]));
  top.makeSymlink(name('out'), Buffer.from('../..'));
  top.makeNode(name('fifo'), kindBits.fifo | 0o640, 0n);
  top.makeNode(name('socket'), kindBits.socket | 0o600, 0n);

  write(sub, name('linked'), 'three names');
  top.makeHardLink(name('linked too'), sub, name('linked'));
  odd.makeHardLink(name('and here'), sub, name('linked'));
  top.makeHardLink(name('link again'), top, name('link'));

  const sparse = top.openFile(name('sparse'), fs.constants.O_CREAT | fs.constants.O_RDWR);
  fs.writeSync(sparse, 'start', 0);
  fs.writeSync(sparse, 'middle', 5_000_000);
  fs.ftruncateSync(sparse, 8_000_001);
  fs.closeSync(sparse);

  const tagged = top.pathOf(name('plain.txt'));
  // In the order of their names: some file systems list them as they were set, and tar packs them so.
  if (isRoot) setExtendedAttribute(tagged, Buffer.from('trusted.note'), Buffer.from('root only'));
  setExtendedAttribute(tagged, Buffer.from('user.bytes'), Buffer.from([0, 255, 1]));
  setExtendedAttribute(tagged, Buffer.from('user.empty'), Buffer.alloc(0));
  setExtendedAttribute(sub.pathOf(), Buffer.from('user.folder'), Buffer.from('yes'));
  setExtendedAttribute(top.pathOf(name('a')), Buffer.from('system.posix_acl_access'), accessControlList());
  setExtendedAttribute(odd.pathOf(), Buffer.from('system.posix_acl_default'), accessControlList());
  if (isRoot) {
    top.makeNode(name('null'), kindBits.characterDevice | 0o666, 0x103n);
    top.makeNode(name('disk'), kindBits.blockDevice | 0o660, 0x700n);
    top.setOwner(name('plain.txt'), 1234, 4321);
    top.setOwner(name('dangling'), 99, 98);
    sub.setOwner(name('.'), 7, 8);
  }
  if (options.deep) makeDeepFolders(top);

  top.setModified(name('plain.txt'), 1_700_000_000_123_456_789n);
  top.setModified(name('link'), 987_654_321n);
  top.setModified(name('empty'), -1_000_000_001n);
  sub.setModified(name('empty folder'), 1_600_000_000_000_000_001n);
  top.setModified(name('a.b'), 1_500_000_000_999_999_999n);
  top.setModified(name('.'), 1_400_000_000_000_000_007n);
}

/** Folders whose path together is longer than the 4096 bytes that a call may be given. */
export function makeDeepFolders(top: FolderHandle): void {
  let inner = top;
  for (let depth = 0; depth < 24; depth += 1) {
    const part = name(`deep-${depth}-`.padEnd(200, 'd'));
    inner.makeFolder(part);
    const next = inner.openFolder(part);
    if (inner !== top) inner.close();
    inner = next;
  }
  const fd = inner.openFile(name('bottom'), fs.constants.O_CREAT | fs.constants.O_WRONLY);
  fs.writeSync(fd, 'far down');
  fs.closeSync(fd);
  inner.close();
}

/** Resolves when what was written before counts as safely older than a reading that begins now. */
export async function letClockTick(): Promise<void> {
  const begin = Date.now();
  while (Date.now() < begin + 40) await new Promise((resolve) => setTimeout(resolve, 5));
}
