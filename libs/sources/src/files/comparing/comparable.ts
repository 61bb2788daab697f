/** Two kinds of trees in one form, so that they can be laid side by side: one on disk, one in a backup. */
import type { BackupReader } from '@catena/vault';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import {
  bytesOf,
  byteStringOf,
  extendedAttributesOf,
  type ByteString,
  type FileKind,
} from '../../system-calls/index.ts';
import { hashOfOpen } from '../content-hash.ts';
import { attributeOfFlags } from '../inode-flags-attribute.ts';
import type { FilesSpec } from '../files-spec.ts';
import { walk, type Found } from '../reading/walk.ts';

/** One thing of a tree, with all that has to be equal. Content and attributes can be asked for until the next one. */
export interface Comparable {
  readonly path: ByteString;
  readonly bytes: Uint8Array;
  readonly kind: FileKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
  readonly size: bigint;
  readonly deviceNumber: bigint;
  readonly linkTarget: Uint8Array;
  /** First path of the hard-link group; its own when it is the first or alone. */
  readonly firstName: ByteString;
  attributes(): readonly (readonly [name: Uint8Array, value: Uint8Array])[];
  /** SHA-256 of the content. */
  hash(): Promise<Uint8Array>;
}

const noBytes = new Uint8Array(0);

/** What is on disk. What cannot be looked at is told to `unreadable`. */
export async function* treeOnDisk(
  spec: FilesSpec,
  unreadable: (path: ByteString, message: string) => void,
  signal?: AbortSignal,
): AsyncGenerator<Comparable> {
  const groups = new Map<string, { path: ByteString; left: number }>();
  for (const found of walk(spec, (path, _code, message) => unreadable(path, message))) {
    await Promise.resolve();
    yield onDisk(found, firstName(found, groups), signal);
  }
}

function firstName(
  { path, status }: Found,
  groups: Map<string, { path: ByteString; left: number }>,
): ByteString {
  if (status.links < 2 || status.kind === 'folder') return path;
  const key = `${status.device}:${status.inode}`;
  const group = groups.get(key) ?? { path, left: status.links };
  group.left -= 1;
  if (group.left === 0) groups.delete(key);
  else groups.set(key, group);
  return group.path;
}

function onDisk(found: Found, first: ByteString, signal: AbortSignal | undefined): Comparable {
  const { path, status, folder, name } = found;
  return {
    ...status,
    path,
    bytes: bytesOf(path),
    size: status.kind === 'file' ? status.size : 0n,
    linkTarget: status.kind === 'symlink' ? folder.readLink(name) : noBytes,
    firstName: first,
    attributes() {
      const flags = attributeOfFlags(status);
      const own = extendedAttributesOf(folder.pathOf(name));
      return flags ? [flags, ...own] : own;
    },
    async hash() {
      const file = folder.openFile(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      try {
        return await hashOfOpen(file, status.size, signal);
      } finally {
        fs.closeSync(file);
      }
    },
  };
}

/** What a backup holds; its content is known by the hash that was recorded. */
export async function* treeInBackup(
  reader: BackupReader,
  globs: readonly string[] | undefined,
): AsyncGenerator<Comparable> {
  for await (const entry of reader.entries(globs && globs.length > 0 ? { globs } : undefined)) {
    const path = byteStringOf(entry.path);
    yield {
      path,
      bytes: entry.path,
      kind: entry.kind,
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      mtime: entry.mtime,
      size: entry.size,
      deviceNumber: entry.deviceNumber ?? 0n,
      linkTarget: entry.linkTarget ?? noBytes,
      firstName: entry.hardLink ? byteStringOf(entry.hardLink) : path,
      attributes: () => entry.xattrs ?? [],
      async hash() {
        const holder = entry.hardLink ? await reader.find(entry.hardLink) : entry;
        if (holder?.content === undefined) return noBytes;
        if (holder.content.sha256 !== undefined) return holder.content.sha256;
        const hash = createHash('sha256');
        for await (const chunk of reader.content(holder)) hash.update(chunk);
        return hash.digest();
      },
    };
  }
}
