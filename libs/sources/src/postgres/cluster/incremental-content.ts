/** What an incremental file says, as changes to what the parent has of the same file. */
import type { ChangedRun } from '@catena/vault';
import {
  FIXED_HEADER_BYTES,
  headerLength,
  pagesOf,
  readIncrementalHeader,
  type IncrementalHeader,
} from '../pages/incremental-file.ts';
import { PAGE_BYTES } from '../pages/page-checksum.ts';
import type { TarReader } from '../tar/tar-reader.ts';

/** Pages that are handed on at once. */
const PAGES_AT_ONCE = 32;
const ZEROS = Buffer.alloc(PAGES_AT_ONCE * PAGE_BYTES);

/** Reads what comes before the pages. @param size of the incremental file */
export async function readHeader(reader: TarReader, size: number, path: string): Promise<IncrementalHeader> {
  const fixed = Buffer.from(await reader.take(FIXED_HEADER_BYTES));
  const rest = await reader.take(headerLength(fixed, path) - FIXED_HEADER_BYTES);
  return readIncrementalHeader(Buffer.concat([fixed, rest]), size, path);
}

/**
 * The pages that follow, as runs. What lies between the shortest length of the file and its new end was written anew:
 * pages of it that are not sent are zeros, whatever the parent has there (pg_combinebackup's rule).
 *
 * @param show is shown every page that was sent, with its number
 */
export async function* changedRuns(
  reader: TarReader,
  header: IncrementalHeader,
  show: (pages: Buffer, firstPage: number) => void,
): AsyncGenerator<ChangedRun, void, void> {
  const { blocks, truncation } = header;
  let next = truncation;
  for (let index = 0; index < blocks.length;) {
    const first = blocks[index] ?? 0;
    let count = 1;
    while (count < PAGES_AT_ONCE && blocks[index + count] === first + count) count += 1;
    if (first > next) yield* zeros(next, first);
    const bytes = await reader.take(count * PAGE_BYTES);
    show(bytes, first);
    yield { offset: BigInt(first) * BigInt(PAGE_BYTES), bytes };
    index += count;
    next = Math.max(next, first + count);
  }
  yield* zeros(next, pagesOf(header));
}

function* zeros(from: number, to: number): Generator<ChangedRun, void, void> {
  for (let page = from; page < to; page += PAGES_AT_ONCE) {
    const count = Math.min(PAGES_AT_ONCE, to - page);
    yield { offset: BigInt(page) * BigInt(PAGE_BYTES), bytes: ZEROS.subarray(0, count * PAGE_BYTES) };
  }
}
