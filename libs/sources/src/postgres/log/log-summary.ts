/** What a log backup says of itself: what it covers, until when, and what was committed in it. */
import { detailOfTablespaces, type TablespaceMade } from '@catena/events';
import type { BackupSummary } from '@catena/vault';
import { formatLsn, segmentName } from '../wire/lsn.ts';
import type { ServerSettings } from '../wire/system.ts';
import type { Commit, CommitScanner, FoundMark } from './commit-scanner.ts';
import type { MadeTablespace } from './record-listener.ts';
import type { LogStretch } from './where-to-begin.ts';

const MICROSECONDS = 1000n;

/** What was read of a stretch of log. */
export interface LogRead {
  readonly end: bigint;
  readonly found: Pick<
    CommitScanner,
    'commits' | 'segments' | 'marks' | 'moreMarks' | 'transactions' | 'tablespaces'
  >;
  /** Until when nothing was committed beyond the end, in microseconds since 1970; undefined if that is not known. */
  readonly quietAt: bigint | undefined;
}

export function summaryOf(
  { start, timeline, fork }: LogStretch,
  { end, found: { commits, marks, moreMarks, transactions, tablespaces }, quietAt }: LogRead,
  server: { systemIdentifier: string; timeline: number; settings: ServerSettings },
): BackupSummary {
  const { systemIdentifier, settings } = server;
  const asOf = latest(commits.last?.at, quietAt);
  return {
    // Nothing is known of when nothing was committed and the server said nothing: then nothing is promised.
    asOf: new Date(Number((asOf ?? 0n) / MICROSECONDS)),
    position: {
      ...{ start: start.toString(), end: end.toString(), ...fork },
      marks: marks.map(markText),
      ...(moreMarks === 0 ? {} : { moreMarks }),
      transactions,
    },
    driverDetails: {
      systemIdentifier,
      serverVersion: settings.version,
      timeline,
      // Whose history file is in it: of one that comes after, where the log ends at a switch.
      serverTimeline: server.timeline,
      startLsn: formatLsn(start),
      endLsn: formatLsn(end),
      walSegmentSize: Number(settings.walSegmentSize),
      commits: commits.count,
      ...commitDetails('first', commits.first),
      ...commitDetails('last', commits.last),
      ...detailOfTablespaces(tablespaces.filter(({ path }) => path !== '').map(madeText)),
    },
  };
}

/** As the details of a backup name it. */
export function madeText({ path, start }: MadeTablespace): TablespaceMade {
  return { path, position: start.toString(), lsn: formatLsn(start) };
}

function markText({ name, at, position }: FoundMark) {
  return { name, at: new Date(Number(at / MICROSECONDS)).toISOString(), position: position.toString() };
}

/** First and last commit of each segment that has any, as JSON: times in microseconds since 1970. */
export function segmentsText(timeline: number, size: bigint, segments: CommitScanner['segments']): string {
  const rows = segments.map(({ segment, count, first, last }) => ({
    segment: segmentName(timeline, segment, size),
    commits: count,
    ...commitDetails('first', first),
    ...commitDetails('last', last),
  }));
  return `${JSON.stringify(rows, undefined, 1)}\n`;
}

function commitDetails(which: 'first' | 'last', commit: Commit | undefined) {
  if (commit === undefined) return {};
  return { [`${which}CommitAt`]: commit.at.toString(), [`${which}CommitLsn`]: formatLsn(commit.position) };
}

export function latest(a: bigint, b: bigint): bigint;
export function latest(a: bigint | undefined, b: bigint | undefined): bigint | undefined;
export function latest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
