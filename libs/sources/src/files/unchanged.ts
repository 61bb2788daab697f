import type { Entry, StoredEntry } from '@catena/vault';

/**
 * How far a file system's clock may lag behind the wall clock: times are stamped at timer ticks, at most 10 ms apart.
 * A file system that only keeps whole seconds (its times say so) may do so in steps of two.
 */
const tick = 20_000_000n;
const second = 1_000_000_000n;

/**
 * Whether a thing is as the parent backup had it (architecture.md section 6): same kind, size, mtime, ctime, inode and
 * device, and last changed before the parent read it. A change at the very moment of the reading could leave the same
 * times behind, so a ctime that is not safely older counts as changed.
 */
export function isUnchanged(
  entry: Pick<Entry, 'kind' | 'size' | 'mtime' | 'ctime' | 'inode' | 'device'>,
  before: StoredEntry,
): boolean {
  const granularity = entry.ctime % second === 0n ? 2n * second : tick;
  return (
    entry.kind === before.kind &&
    entry.size === before.size &&
    entry.mtime === before.mtime &&
    entry.ctime === before.ctime &&
    entry.inode === before.inode &&
    entry.device === before.device &&
    entry.ctime + granularity <= before.readAt
  );
}
