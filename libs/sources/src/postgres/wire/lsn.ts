/**
 * Log sequence numbers: byte positions in a cluster's write-ahead log. PostgreSQL spells them `16/B374D848`; positions
 * of Catena are decimal text.
 */

/** Throws `RangeError` for what is none. */
export function parseLsn(text: string): bigint {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) throw new RangeError(`'${text}' is no log sequence number.`);
  return (BigInt(`0x${match[1] ?? ''}`) << 32n) | BigInt(`0x${match[2] ?? ''}`);
}

export function formatLsn(lsn: bigint): string {
  const half = (value: bigint) => value.toString(16).toUpperCase();
  return `${half(lsn >> 32n)}/${half(lsn & 0xffffffffn)}`;
}

/** Where the segment that holds a position begins. */
export function segmentStart(lsn: bigint, segmentSize: bigint): bigint {
  return lsn - (lsn % segmentSize);
}

/** The name of the file in pg_wal that holds a position. */
export function segmentName(timeline: number, lsn: bigint, segmentSize: bigint): string {
  const number = lsn / segmentSize;
  const perLogFile = 0x100000000n / segmentSize;
  const part = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0');
  return part(BigInt(timeline)) + part(number / perLogFile) + part(number % perLogFile);
}

/** What the name of a file in pg_wal says: of which timeline it is, and where it begins. */
export function parseSegmentName(
  name: string,
  segmentSize: bigint,
): { readonly timeline: number; readonly start: bigint } {
  const part = (from: number) => BigInt(`0x${name.slice(from, from + 8)}`);
  const number = part(8) * (0x100000000n / segmentSize) + part(16);
  return { timeline: Number(part(0)), start: number * segmentSize };
}
