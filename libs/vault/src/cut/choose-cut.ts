import type { CutMethod, Entry } from '../port/entry.ts';

const KIB = 1024;
const GIB = 1024 ** 3;

/** Block size for what is changed in place: the page of most databases, and what a scattered change costs. */
export const PAGE_BLOCK_BYTES = 8 * KIB;

/** Files that are written anew with bytes inserted or removed; everything else is changed in place or appended to. */
const SHIFTING = new Set(
  (
    'sql dump tar cpio mbox eml csv tsv xml html htm txt md rst tex ps svg yaml yml ' +
    'c h cc cpp hpp cs go java js jsx mjs ts tsx kt py rb rs php pl sh swift scala css scss'
  ).split(' '),
);

function extension(path: Uint8Array): string {
  const name = Buffer.from(path.subarray(path.lastIndexOf(0x2f) + 1)).toString('latin1');
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

/**
 * How a file that is new to its chain is cut. Content that shifts is cut where the content says so, in larger blocks
 * for larger files so that their ids fit into memory; all else in fixed pages.
 */
export function chooseCut(entry: Pick<Entry, 'path' | 'size'>): CutMethod {
  const shifts = SHIFTING.has(extension(entry.path));
  if (!shifts || entry.size <= BigInt(64 * KIB) || entry.size > BigInt(256 * GIB))
    return { kind: 'fixed', blockSize: PAGE_BLOCK_BYTES };
  const averageSize = entry.size > BigInt(16 * GIB) ? 512 * KIB : 64 * KIB;
  return { kind: 'contentDefined', averageSize };
}
