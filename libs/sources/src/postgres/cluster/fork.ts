/**
 * Branches of a cluster's history. A timeline's number alone does not name one: two copies that are promoted by
 * themselves both come to timeline 2. So a fork is the number with a hash of how it came about.
 */
import { createHash } from 'node:crypto';
import type { ReplicationConnection } from '../wire/connection.ts';
import { formatLsn, parseLsn } from '../wire/lsn.ts';
import { readTimelineHistory, type TimelineHistory } from '../wire/system.ts';

/** One line of a history file: a timeline, and where the next one left it. */
export interface TimelineSwitch {
  readonly timeline: number;
  readonly position: bigint;
}

export interface ForkPlace {
  /** E.g. `1`, or `3-5c6b39a1f0e2d4b7`. */
  readonly fork: string;
  readonly forkParent?: string;
  /** Where it left its parent: up to there both are the same. */
  readonly forkAt?: string;
}

/** The switches a history file tells of, oldest first. */
export function parseTimelineHistory(content: string): TimelineSwitch[] {
  return content.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line);
    return match === null ? [] : [{ timeline: Number(match[1]), position: parseLsn(match[2] ?? '') }];
  });
}

/**
 * The history file of a timeline, out of that of one that came after it: its beginning. Undefined when the timeline is none of its
 * ancestors, or has no history.
 */
export function historyOfAncestor(content: string, timeline: number): string | undefined {
  const lines = content.split('\n');
  const own = lines.findIndex((line) => parseTimelineHistory(line)[0]?.timeline === timeline);
  const before = lines.slice(0, Math.max(own, 0)).join('\n').trimEnd();
  return before === '' ? undefined : `${before}\n`;
}

/** @param switches what the timeline's history file says, oldest first; none for timeline 1 */
export function forkOf(timeline: number, switches: readonly TimelineSwitch[]): ForkPlace {
  const left = switches.at(-1);
  const fork = forkName(timeline, switches);
  if (left === undefined) return { fork };
  return {
    fork,
    forkParent: forkName(left.timeline, switches.slice(0, -1)),
    forkAt: left.position.toString(),
  };
}

function forkName(timeline: number, switches: readonly TimelineSwitch[]): string {
  if (switches.length === 0) return String(timeline);
  const story = switches.map((one) => `${one.timeline} ${formatLsn(one.position)}\n`).join('');
  return `${timeline}-${createHash('sha256').update(story).digest('hex').slice(0, 16)}`;
}

/** The number of the timeline that a fork is. */
export function timelineOf(fork: string): number {
  return Number.parseInt(fork, 10);
}

/** The fork of a timeline of the cluster, and the file it is known from. */
export async function readFork(
  connection: ReplicationConnection,
  timeline: number,
): Promise<ForkPlace & { readonly history?: TimelineHistory }> {
  if (timeline === 1) return forkOf(1, []);
  const history = await readTimelineHistory(connection, timeline);
  return { ...forkOf(timeline, parseTimelineHistory(history.content)), history };
}
