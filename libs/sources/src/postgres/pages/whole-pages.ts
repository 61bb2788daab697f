import { PAGE_BYTES } from './page-checksum.ts';

/**
 * Passes pieces of a file through and shows them to somebody as whole pages. Pieces mostly begin and end with pages;
 * what does not is put together.
 */
export async function* showingPages(
  pieces: AsyncIterable<Buffer>,
  show: (pages: Buffer, firstPage: number) => void,
): AsyncGenerator<Buffer, void, void> {
  let page = 0;
  const parts = Buffer.alloc(PAGE_BYTES);
  let there = 0;
  for await (const piece of pieces) {
    let rest = piece;
    if (there > 0) {
      const copied = rest.copy(parts, there);
      rest = rest.subarray(copied);
      there += copied;
      if (there === PAGE_BYTES) {
        show(parts, page);
        page += 1;
        there = 0;
      }
    }
    const whole = rest.length - (rest.length % PAGE_BYTES);
    if (whole > 0) show(rest.subarray(0, whole), page);
    page += whole / PAGE_BYTES;
    if (rest.length > whole) there = rest.copy(parts, 0, whole);
    yield piece;
  }
}
