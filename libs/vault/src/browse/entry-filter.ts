import type { EntryKind, StoredEntry } from '../port/entry.ts';
import { globMatcher } from '../read/glob.ts';

/** What entries are looked for; what is absent does not matter. */
export interface EntryFilter {
  /** A glob with a slash is about the path from the root, one without about a name wherever it is. */
  readonly globs?: readonly string[];
  readonly kinds?: readonly EntryKind[];
  /** Bytes, both included. Only files have a size. */
  readonly atLeast?: bigint;
  readonly atMost?: bigint;
  /** Nanoseconds since 1970: changed at or after, changed before. */
  readonly since?: bigint;
  readonly before?: bigint;
}

/** The globs of a filter as they are from the root. */
export function rootedGlobs(globs: readonly string[]): string[] {
  return globs.map((glob) => (glob.includes('/') ? glob : `**/${glob}`));
}

/** A test for entries that are all of what a filter says; what lies beneath a match is not meant. */
export function entryMatcher(filter: EntryFilter): (entry: StoredEntry) => boolean {
  const { globs, kinds, atLeast, atMost, since, before } = filter;
  const matches = globs === undefined ? () => true : globMatcher(rootedGlobs(globs), 'itself');
  return (entry) => {
    if (kinds !== undefined && !kinds.includes(entry.kind)) return false;
    if ((atLeast !== undefined || atMost !== undefined) && entry.kind !== 'file') return false;
    if (atLeast !== undefined && entry.size < atLeast) return false;
    if (atMost !== undefined && entry.size > atMost) return false;
    if (since !== undefined && entry.mtime < since) return false;
    if (before !== undefined && entry.mtime >= before) return false;
    return matches(entry.path);
  };
}
