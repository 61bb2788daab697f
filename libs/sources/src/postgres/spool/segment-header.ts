/** The header that every segment begins with (access/xlog_internal.h), on little-endian machines. */

export interface SegmentHeader {
  /** Decimal, above 2^53. */
  readonly systemIdentifier: string;
  readonly segmentSize: bigint;
  /** Where the segment begins. */
  readonly position: bigint;
}

const LONG_HEADER = 40;
const IS_LONG = 0x0002;

/** Undefined when the bytes begin no segment. */
export function readSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < LONG_HEADER || (bytes.readUInt16LE(2) & IS_LONG) === 0) return undefined;
  return {
    position: bytes.readBigUInt64LE(8),
    systemIdentifier: bytes.readBigUInt64LE(24).toString(),
    segmentSize: BigInt(bytes.readUInt32LE(32)),
  };
}
