/** A tree with everything that copies get wrong, for tests on real file systems. */
import * as fs from 'node:fs';
import {
  byteStringOf,
  FolderHandle,
  kindBits,
  setExtendedAttribute,
  systemCodeOf,
  type ByteString,
} from '../system-calls/index.ts';
import { deviceOf } from '../system-calls/file-status.ts';
import { isRoot, makeDeepFolders, makeSampleTree, seededBytes } from './sample-tree.ts';

const name = (text: string) => byteStringOf(Buffer.from(text));
const { O_CREAT, O_WRONLY, O_RDWR } = fs.constants;
const second = 1_000_000_000n;

/** Moments that do not fit into 32 bits of seconds, or lie before 1970. */
const moments = {
  'before 1970': -1_234_567_890n * second + 123_456_789n,
  'the last second of 32 bits': 2_147_483_647n * second + 999_999_999n,
  'after 2038': 4_102_444_800n * second + 1n,
};

/** Fills a new folder with what `makeSampleTree` makes and more: names, times, attributes and links at their limits. */
export function makeNastyTree(root: string, options: { deep: boolean } = { deep: true }): void {
  makeSampleTree(root, options);
  using top = FolderHandle.open(Buffer.from(root));
  makeNames(top);
  makeLinks(top);
  makeHoles(top);
  makeAttributes(top);
  // Last, and the folder too: everything else changes it.
  makeTimes(top);
  top.setModified(name('.'), 1_400_000_000_000_000_007n);
}

function makeNames(top: FolderHandle): void {
  using folder = make(top, 'names');
  write(folder, name('n'.repeat(255)), 'as long as a name may be');
  write(folder, byteStringOf(Buffer.alloc(255, 0xfe)), 'as long, and no UTF-8');
  write(folder, byteStringOf(Buffer.from([1, 9, 10, 13, 27, 0x7f])), 'control characters');
  write(folder, name(' leading and trailing '), '');
  write(folder, name('-rf'), 'no option');
  write(folder, name('*?[a]{b,c}$HOME`id`'), 'no pattern');
  write(folder, name('e\u0301'), 'two code points');
  write(folder, name('\u00e9'), 'one code point');
  write(folder, name('UPPER'), 'upper');
  write(folder, name('upper'), 'lower');
  make(folder, '.hidden folder').close();
  folder.makeSymlink(name('long link'), Buffer.from('x'.repeat(1000)));
  folder.makeSymlink(name('link to itself'), Buffer.from('link to itself'));
}

function makeLinks(top: FolderHandle): void {
  using folder = make(top, 'links');
  using other = make(top, 'links elsewhere');
  write(folder, name('file'), 'one content, many names');
  for (let number = 0; number < 20; number += 1) {
    (number % 2 === 0 ? other : folder).makeHardLink(name(`name ${number}`), folder, name('file'));
  }
  folder.makeNode(name('fifo'), kindBits.fifo | 0o600, 0n);
  other.makeHardLink(name('fifo too'), folder, name('fifo'));
  if (!isRoot) return;
  folder.makeNode(name('zero'), kindBits.characterDevice | 0o640, 0x105n);
  other.makeHardLink(name('zero too'), folder, name('zero'));
  folder.makeNode(name('large numbers'), kindBits.blockDevice | 0o600, deviceOf(259, 70_000));
}

function makeHoles(top: FolderHandle): void {
  using folder = make(top, 'holes');
  const sparse = (text: string, size: number, data: readonly number[]): void => {
    const file = folder.openFile(name(text), O_CREAT | O_RDWR);
    for (const at of data) fs.writeSync(file, seededBytes(65_536, at), 0, 65_536, at);
    fs.ftruncateSync(file, size);
    fs.closeSync(file);
  };
  sparse('nothing but a hole', 5_000_000, []);
  sparse('begins with a hole', 4 * 1024 * 1024, [4 * 1024 * 1024 - 65_536]);
  sparse('ends with a hole', 4 * 1024 * 1024 + 3, [0]);
  sparse('in between', 12 * 1024 * 1024, [0, 1024 * 1024, 9 * 1024 * 1024]);
  write(folder, name('written zeros'), Buffer.alloc(300_000));
}

function makeAttributes(top: FolderHandle): void {
  using folder = make(top, 'attributes');
  write(folder, name('file'), 'with attributes');
  const path = folder.pathOf(name('file'));
  if (isRoot) {
    // cap_net_raw=ep, lost by a change of owner.
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    setExtendedAttribute(path, Buffer.from('security.capability'), capability);
    setExtendedAttribute(path, Buffer.from('security.note'), Buffer.from('of a security module'));
  }
  setExtendedAttribute(path, Buffer.from('user.large'), seededBytes(700, 4));
  const odd = Buffer.concat([Buffer.from('user.'), Buffer.from([0xff, 0xfe])]);
  setExtendedAttribute(path, odd, Buffer.from('no UTF-8'));
  write(folder, name('read-only'), 'with attributes');
  setExtendedAttribute(folder.pathOf(name('read-only')), Buffer.from('user.note'), Buffer.from('kept'));
  folder.setMode(name('read-only'), 0o444);
  if (!isRoot) return;
  folder.setOwner(name('read-only'), 4242, 2424);
  folder.makeSymlink(name('link'), Buffer.from('file'));
  setExtendedAttribute(folder.pathOf(name('link')), Buffer.from('trusted.of-a-link'), Buffer.from('kept'));
  write(folder, name('rights of its owner'), '#!/bin/sh\n');
  folder.setOwner(name('rights of its owner'), 1000, 1000);
  folder.setMode(name('rights of its owner'), 0o6711);
  make(folder, 'of a group').close();
  folder.setOwner(name('of a group'), 1000, 1001);
  folder.setMode(name('of a group'), 0o3775);
  make(folder, 'closed').close();
  folder.setMode(name('closed'), 0);
}

function makeTimes(top: FolderHandle): void {
  using folder = make(top, 'times');
  for (const [text, moment] of Object.entries(moments)) {
    const set = (file: ByteString): void => {
      folder.setModified(file, moment);
      if (folder.status(file).mtime !== moment) folder.setModified(file, second);
    };
    write(folder, name(text), text);
    make(folder, `${text} (folder)`).close();
    folder.makeSymlink(name(`${text} (link)`), Buffer.from(text));
    for (const kind of ['', ' (folder)', ' (link)']) set(name(text + kind));
  }
}

/** Marks a file that nobody may change and one that may only grow; false where that cannot be done. */
export function makeFlagged(top: FolderHandle): boolean {
  using folder = make(top, 'flags');
  write(folder, name('immutable'), 'stays');
  write(folder, name('append-only'), 'grows');
  make(folder, 'immutable folder').close();
  try {
    folder.setFlags(name('immutable'), { immutable: true, appendOnly: false });
    folder.setFlags(name('append-only'), { immutable: false, appendOnly: true });
    folder.setFlags(name('immutable folder'), { immutable: true, appendOnly: false });
    return true;
  } catch (error) {
    if (!['ENOTTY', 'EOPNOTSUPP', 'ENOTSUP', 'EPERM'].includes(systemCodeOf(error) ?? '')) throw error;
    return false;
  }
}

/** The same at the top of a tree that is named by its path. */
export function makeFlaggedTree(root: string): boolean {
  using top = FolderHandle.open(Buffer.from(root));
  return makeFlagged(top);
}

/** Nothing but folders whose path together is longer than a call may be given, and a file at the bottom. */
export function makeDeepTree(root: string): void {
  fs.mkdirSync(root);
  using top = FolderHandle.open(Buffer.from(root));
  makeDeepFolders(top);
}

function make(folder: FolderHandle, text: string): FolderHandle {
  folder.makeFolder(name(text), 0o755);
  return folder.openFolder(name(text));
}

function write(folder: FolderHandle, file: ByteString, content: string | Buffer): void {
  const open = folder.openFile(file, O_CREAT | O_WRONLY, 0o644);
  fs.writeSync(open, Buffer.from(content));
  fs.closeSync(open);
}
