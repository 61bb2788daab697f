import type { RunPriority } from '@catena/events';

/** What decides when a waiting run has its turn. */
export interface TurnFacts {
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  /** Log sequence of its request. */
  readonly sequence: number;
  readonly priority: RunPriority;
  /** A person waits for it to get something back: before everything else. */
  readonly urgent: boolean;
  /** How many runs of the same schedule are open that were asked for before it. */
  readonly before: number;
}

const MINUTE = 60_000;

/** A run is taken for one that was asked for this much earlier. Nobody waits for ever: whoever comes that much later is behind. */
const HEAD_START: Readonly<Record<RunPriority, number>> = { low: -60 * MINUTE, normal: 0, high: 60 * MINUTE };

/** A schedule's second open run is taken for one that was asked for this much later, its third for twice as much. */
const FAIR_SHARE = 10 * MINUTE;

/**
 * The order of turns, by facts that never change while a run waits or only move it forward. Below 0: the left one
 * is before the right one.
 */
export function compareTurns(left: TurnFacts, right: TurnFacts): number {
  if (left.urgent !== right.urgent) return left.urgent ? -1 : 1;
  return turnOf(left) - turnOf(right) || left.sequence - right.sequence;
}

function turnOf({ requestedAt, priority, before, urgent }: TurnFacts): number {
  return urgent ? requestedAt : requestedAt - HEAD_START[priority] + before * FAIR_SHARE;
}
