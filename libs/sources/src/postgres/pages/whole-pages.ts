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
  let part: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    let rest = piece;
    if (part.length > 0) {
      const missing = Math.min(PAGE_BYTES - part.length, rest.length);
      part = Buffer.concat([part, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (part.length === PAGE_BYTES) {
        show(part, page);
        page += 1;
        part = Buffer.alloc(0);
      }
    }
    const whole = rest.length - (rest.length % PAGE_BYTES);
    if (whole > 0) show(rest.subarray(0, whole), page);
    page += whole / PAGE_BYTES;
    if (rest.length > whole) part = Buffer.from(rest.subarray(whole));
    yield piece;
  }
}
