/** Bytes that are looked at. */
const SAMPLE = 4096;
/** Beyond this (mean 255, deviation 22.6 for random bytes) the bytes are not evenly distributed. */
const CHI_SQUARE = 370;

const counts = new Uint16Array(256);

/**
 * Whether bytes look like they were compressed or encrypted already: no value is more frequent than chance has it. It
 * costs a hundredth of trying to compress them.
 */
export function looksIncompressible(bytes: Uint8Array): boolean {
  if (bytes.length < 4 * SAMPLE) return false;
  counts.fill(0);
  // Odd, so that the sample does not go along with records of a fixed length.
  const step = Math.floor(bytes.length / SAMPLE) | 1;
  let taken = 0;
  for (let at = 0; at < bytes.length && taken < SAMPLE; at += step, taken++) {
    const value = bytes[at] ?? 0;
    counts[value] = (counts[value] ?? 0) + 1;
  }
  const expected = taken / 256;
  let chiSquare = 0;
  for (const count of counts) chiSquare += (count - expected) ** 2;
  return chiSquare / expected < CHI_SQUARE;
}
