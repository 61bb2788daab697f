import { createHash } from 'node:crypto';
import { cadenceTimes } from '../cadence/cadence-times.ts';
import { isContinuous } from './continuous-cadence.ts';
import type { LiveSchedule } from './live-schedule.ts';

/**
 * When a nominal instant really starts (rule 3.11): later by always the same part of the schedule's jitter, and before
 * the next nominal instant of any of its cadences. Coinciding cadences therefore stay together. Milliseconds.
 */
export function startOf(live: LiveSchedule, nominal: number): number {
  const { jitter } = live.spec.policies;
  if (jitter === 0) return nominal;
  const nexts = live.cadences.flatMap((cadence) =>
    isContinuous(cadence) ? [] : (cadenceTimes(cadence.rhythm, live.spec).next(nominal) ?? []),
  );
  return Math.min(nominal + Math.floor(jitter * partOf(live.uid)), ...nexts.map((next) => next - 1));
}

/** From 0 to 1, the same for a schedule for ever. */
function partOf(uid: string): number {
  return createHash('sha256').update(`jitter ${uid}`).digest().readUInt32BE(0) / 2 ** 32;
}
