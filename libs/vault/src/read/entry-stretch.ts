import type { EntrySelection } from '../port/backup-reader.ts';
import { comparePaths } from '../port/path-order.ts';
import { globBeginnings } from './glob.ts';

/** A stretch of the entries in which everything that is selected stands. */
export interface EntryStretch {
  /** Where it begins. */
  readonly from: Uint8Array;
  /** Whether no entry from `first` up to `next` is wanted. */
  readonly skip?: (first: Uint8Array, next: Uint8Array) => boolean;
  /** To be asked for one entry after another. */
  judge(path: Uint8Array): { isWanted: boolean; isOver: boolean };
}

const SLASH = 0x2f;

function beginsWith(path: Uint8Array, beginning: Uint8Array): boolean {
  return (
    path.length >= beginning.length && Buffer.compare(path.subarray(0, beginning.length), beginning) === 0
  );
}

function isBeneath(path: Uint8Array, folder: Uint8Array): boolean {
  if (folder.length === 0) return path.length > 0;
  return path.length > folder.length && path[folder.length] === SLASH && beginsWith(path, folder);
}

function subtree(folder: Uint8Array): EntryStretch {
  return {
    from: folder,
    judge(path) {
      const isWithin = path.length === folder.length ? beginsWith(path, folder) : isBeneath(path, folder);
      return { isWanted: isWithin, isOver: !isWithin };
    },
  };
}

function alike(beginning: Uint8Array): EntryStretch {
  return {
    from: beginning,
    judge(path) {
      const isAlike = beginsWith(path, beginning);
      return { isWanted: isAlike, isOver: !isAlike };
    },
  };
}

/** What is directly in a folder; pages that lie wholly beneath one of its folders are left out. */
function childrenOf(folder: Uint8Array): EntryStretch {
  const depth = folder.length === 0 ? 0 : folder.length + 1;
  const childOf = (path: Uint8Array): Uint8Array => {
    const end = path.indexOf(SLASH, depth);
    return end < 0 ? path : path.subarray(0, end);
  };
  return {
    from: folder,
    skip(first, next) {
      if (!isBeneath(first, folder) || !isBeneath(next, folder)) return false;
      const child = childOf(first);
      return first.length > child.length && comparePaths(child, childOf(next)) === 0;
    },
    judge(path) {
      if (comparePaths(path, folder) === 0) return { isWanted: false, isOver: false };
      return { isWanted: childOf(path).length === path.length, isOver: !isBeneath(path, folder) };
    },
  };
}

/** The stretches to read for a selection, in canonical order. */
export function stretchesOf({ under, directlyIn, globs }: EntrySelection): EntryStretch[] {
  if (directlyIn !== undefined) return [childrenOf(directlyIn)];
  if (under !== undefined) return [subtree(under)];
  if (globs === undefined) return [alike(new Uint8Array())];
  return globBeginnings(globs).sort(comparePaths).map(alike);
}
