/** Names of the files that a server hands to its archive_command, and asks its restore_command for. */

export type WalFileName =
  | { readonly kind: 'segment' | 'partial'; readonly timeline: number; readonly segment: string }
  | { readonly kind: 'history'; readonly timeline: number }
  /** Says where a base backup began; nothing that we need. */
  | { readonly kind: 'backup'; readonly timeline: number };

const NAME = /^([0-9A-F]{8})(?:([0-9A-F]{16})(?:(\.partial)|(\.[0-9A-F]{8}\.backup))?|\.history)$/;

/** Undefined for a name that PostgreSQL gives to none of them. */
export function readWalFileName(name: string): WalFileName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, timelineText = '', rest, partial, backup] = match;
  const timeline = Number.parseInt(timelineText, 16);
  if (rest === undefined) return { kind: 'history', timeline };
  if (backup !== undefined) return { kind: 'backup', timeline };
  return { kind: partial === undefined ? 'segment' : 'partial', timeline, segment: timelineText + rest };
}

/** The name of the file that says where a timeline came from. */
export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

/** Where the segment of a name begins. */
export function positionOfSegment(segment: string, segmentSize: bigint): bigint {
  const perLogFile = 0x100000000n / segmentSize;
  const high = BigInt(`0x${segment.slice(8, 16)}`);
  const low = BigInt(`0x${segment.slice(16, 24)}`);
  return (high * perLogFile + low) * segmentSize;
}

/** The first of some names that is a segment of the same timeline after that of a name; undefined when there is none. */
export function laterSegment(name: string, names: Iterable<string>): string | undefined {
  const own = readWalFileName(name);
  if (own?.kind !== 'segment') return undefined;
  for (const other of names) {
    const read = readWalFileName(other);
    if (read?.kind === 'segment' && read.timeline === own.timeline && read.segment > own.segment)
      return other;
  }
  return undefined;
}
