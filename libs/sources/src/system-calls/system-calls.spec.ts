import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  AccountNames,
  bytesOf,
  byteStringOf,
  dataAfter,
  extendedAttributesOf,
  fileSystemIdentity,
  FileSystemSync,
  FolderHandle,
  kindBits,
  removeExtendedAttribute,
  setExtendedAttribute,
  statusOfPath,
  type ByteString,
} from './index.ts';

let place: string;
let folder: FolderHandle;
const name = (text: string) => byteStringOf(Buffer.from(text));

beforeAll(() => {
  place = fs.mkdtempSync(path.join(os.tmpdir(), 'catena-calls-'));
  folder = FolderHandle.open(Buffer.from(place));
});
afterAll(() => {
  folder.close();
  fs.rmSync(place, { recursive: true, force: true });
});

describe('status', () => {
  it('agrees with stat to the nanosecond', () => {
    fs.writeFileSync(path.join(place, 'file'), 'content', { mode: 0o640 });
    const status = folder.status(name('file'));
    const known = fs.lstatSync(path.join(place, 'file'), { bigint: true });
    expect(status).toMatchObject({
      kind: 'file',
      mode: Number(known.mode & 0o7777n),
      uid: Number(known.uid),
      gid: Number(known.gid),
      links: Number(known.nlink),
      size: known.size,
      inode: known.ino,
      device: known.dev,
      mtime: known.mtimeNs,
      ctime: known.ctimeNs,
      immutable: false,
    });
  });

  it('tells devices by their number', () => {
    const status = statusOfPath(Buffer.from('/dev/null'));
    expect(status.kind).toBe('characterDevice');
    expect(status.deviceNumber).toBe(fs.lstatSync('/dev/null', { bigint: true }).rdev);
  });

  it('does not follow a symbolic link', () => {
    folder.makeSymlink(name('link'), Buffer.from('/etc'));
    expect(folder.status(name('link')).kind).toBe('symlink');
    expect(folder.readLink(name('link'))).toEqual(Buffer.from('/etc'));
    expect(() => folder.openFolder(name('link'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => folder.openFile(name('link'))).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  });

  it('names the call and the thing when it fails', () => {
    expect(() => folder.status(name('none'))).toThrow("statx failed with ENOENT on 'none'");
    expect(folder.statusIfThere(name('none'))).toBeUndefined();
  });
});

describe('times', () => {
  it.each([0n, 1n, 1_700_000_000_123_456_789n, -1n, -1_500_000_001n])(
    'are set to the nanosecond: %s',
    (mtime) => {
      fs.writeFileSync(path.join(place, 'timed'), '');
      folder.setModified(name('timed'), mtime);
      expect(folder.status(name('timed')).mtime).toBe(mtime);
    },
  );

  it('are set on a symbolic link itself', () => {
    folder.makeSymlink(name('timed-link'), Buffer.from('nowhere'));
    folder.setModified(name('timed-link'), 123_456_789n);
    expect(folder.status(name('timed-link')).mtime).toBe(123_456_789n);
  });
});

describe('names', () => {
  it('are any bytes, in byte order', () => {
    using inner = open('any');
    const names = [[0xff, 0x01], [0x61], [0x61, 0x2e], [0xc3, 0xa9], [0xe9]].map((bytes) =>
      Buffer.from(bytes),
    );
    for (const bytes of names)
      fs.closeSync(inner.openFile(bytes, fs.constants.O_CREAT | fs.constants.O_WRONLY));
    expect(inner.names().map((text) => bytesOf(text))).toEqual([...names].sort(Buffer.compare));
  });

  it('with a NUL are refused instead of naming something else', () => {
    expect(() => folder.makeFolder('a\0b' as ByteString)).toThrow('NUL');
  });

  it('can lie deeper than any path may be long', () => {
    const part = name('d'.repeat(200));
    const handles = [open('deep')];
    for (let depth = 0; depth < 30; depth += 1) {
      const parent = handles.at(-1)!;
      parent.makeFolder(part);
      handles.push(parent.openFolder(part));
    }
    expect(handles.at(-1)!.status().kind).toBe('folder');
    for (const handle of handles.reverse()) {
      if (handle.statusIfThere(part)) handle.removeFolder(part);
      handle.close();
    }
  });
});

describe('rename', () => {
  it('replaces only when it is told to', () => {
    fs.writeFileSync(path.join(place, 'one'), '1');
    fs.writeFileSync(path.join(place, 'two'), '2');
    const rename = (replace: boolean) => folder.rename(name('one'), folder, name('two'), { replace });
    expect(() => rename(false)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    rename(true);
    expect(fs.readFileSync(path.join(place, 'two'), 'utf8')).toBe('1');
  });
});

describe('extended attributes', () => {
  it('are set, listed by name and removed', () => {
    fs.writeFileSync(path.join(place, 'tagged'), '');
    const file = folder.pathOf(name('tagged'));
    setExtendedAttribute(file, Buffer.from('user.b'), Buffer.from([0, 1, 2]));
    setExtendedAttribute(file, Buffer.from('user.a'), Buffer.alloc(0));
    expect(extendedAttributesOf(file)).toEqual([
      [Buffer.from('user.a'), Buffer.alloc(0)],
      [Buffer.from('user.b'), Buffer.from([0, 1, 2])],
    ]);
    removeExtendedAttribute(file, Buffer.from('user.a'));
    expect(extendedAttributesOf(file)).toHaveLength(1);
  });

  it('are none where a file system has none', () => {
    expect(extendedAttributesOf(Buffer.from('/proc/self/stat'))).toEqual([]);
  });
});

it('makes FIFOs and sockets', () => {
  folder.makeNode(name('fifo'), kindBits.fifo | 0o600, 0n);
  folder.makeNode(name('socket'), kindBits.socket | 0o600, 0n);
  expect(folder.status(name('fifo')).kind).toBe('fifo');
  expect(folder.status(name('socket')).kind).toBe('socket');
});

it('finds where a sparse file has data', () => {
  const file = folder.openFile(name('sparse'), fs.constants.O_CREAT | fs.constants.O_RDWR);
  fs.writeSync(file, 'x', 1 << 20);
  fs.ftruncateSync(file, 4 << 20);
  const found = dataAfter(file, 0n)!;
  expect(found.start).toBeLessThanOrEqual(1n << 20n);
  expect(found.end).toBeGreaterThan(1n << 20n);
  expect(dataAfter(file, 3n << 20n)).toBeUndefined();
  fs.closeSync(file);
});

it('knows accounts by id and by name, and what is none', () => {
  const names = new AccountNames();
  expect(names.userName(0)).toBe('root');
  expect(names.userId('root')).toBe(0);
  expect(names.groupName(0)).toBe('root');
  expect(names.groupId('root')).toBe(0);
  expect(names.userName(4_000_000_001)).toBeUndefined();
  expect(names.groupId('no such group')).toBeUndefined();
});

it('names a file system alike from everywhere on it', () => {
  const identity = fileSystemIdentity(Buffer.from(place));
  fs.writeFileSync(path.join(place, 'here'), '');
  expect(fileSystemIdentity(Buffer.from(path.join(place, 'here')))).toBe(identity);
  expect(fileSystemIdentity(Buffer.from('/proc'))).not.toBe(identity);
  expect(identity).toMatch(/^(uuid|fsid|[a-z0-9]+):/);
});

it('waits until a file system is on disk', async () => {
  const fileSystem = new FileSystemSync(folder);
  await fileSystem.wait();
  await Promise.all([fileSystem.wait(), fileSystem.wait()]);
  fileSystem.close();
});

function open(text: string): FolderHandle {
  folder.makeFolder(name(text));
  return folder.openFolder(name(text));
}
