import { describe, expect, it } from '@jest/globals';
import type { StoredEntry } from '@catena/vault';
import { isUnchanged } from './unchanged.ts';

const ms = 1_000_000n;
const entry = {
  path: Buffer.from('file'),
  kind: 'file' as const,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 1_700_000_000_000_000_001n,
  ctime: 1_700_000_000_500_000_001n,
  inode: 7n,
  device: 8n,
  size: 9n,
};
const before: StoredEntry = { ...entry, readAt: entry.ctime + 1000n * ms };

describe('a file is unchanged (architecture.md section 6)', () => {
  it('when everything that would tell is the same', () => {
    expect(isUnchanged(entry, before)).toBe(true);
  });

  it.each([
    ['kind', { kind: 'symlink' as const }],
    ['size', { size: 10n }],
    ['mtime', { mtime: entry.mtime + 1n }],
    ['ctime', { ctime: entry.ctime + 1n }],
    ['inode', { inode: 1n }],
    ['device', { device: 1n }],
  ])('but not when its %s differs', (_, difference) => {
    expect(isUnchanged({ ...entry, ...difference }, before)).toBe(false);
  });

  it.each<[string, bigint, bigint, boolean]>([
    ['read long after', entry.ctime, 1000n * ms, true],
    ['read a timer tick after', entry.ctime, 10n * ms, false],
    ['read in the same moment', entry.ctime, 0n, false],
    ['read before, as by a clock that was set back', entry.ctime, -1n, false],
    [
      'on a file system with whole seconds, read a second after',
      1_700_000_000_000_000_000n,
      1000n * ms,
      false,
    ],
    [
      'on a file system with whole seconds, read two seconds after',
      1_700_000_000_000_000_000n,
      2000n * ms,
      true,
    ],
  ])('only when its last change is safely older than the parent: %s', (_, ctime, later, unchanged) => {
    expect(isUnchanged({ ...entry, ctime }, { ...before, ctime, readAt: ctime + later })).toBe(unchanged);
  });
});
