import type { RunWait } from '@catena/events';
import { placeKey, type Place } from './place.ts';
import { compareTurns, type TurnFacts } from './turn.ts';

/** A run that takes a place of each of these while it is at work. */
export interface Placed {
  readonly run: string;
  /** Only those that are limited. */
  readonly places: readonly Place[];
}

/** A run that wants to begin. */
export interface WaitingRun extends Placed, TurnFacts {
  /** What was said of its wait last: it is not said again while it is still true. */
  readonly said?: RunWait | undefined;
}

export interface Admissions {
  /** In the order in which they are to be planned. */
  readonly admitted: readonly string[];
  readonly held: readonly { readonly run: string; readonly wait: RunWait }[];
}

/** After this long whoever is first in turn is not passed over any more: what becomes free is kept for it. Milliseconds. */
export const PATIENCE = 10 * 60_000;

const MOST_NAMED = 10;

/**
 * Who of those that wait may begin (rule 3.11): in turn, each as soon as every place it needs is free. One that needs
 * two places does not starve while others take them by turns: when the first in turn has waited long enough, the free
 * places it needs are kept for it.
 * @param atWork runs that have begun and are not over
 * @param now milliseconds since 1970
 */
export function admitRuns(
  waiting: readonly WaitingRun[],
  atWork: readonly Placed[],
  now: number,
): Admissions {
  const taken = new Map<string, string[]>();
  for (const one of atWork) take(taken, one);
  const admitted: string[] = [];
  const held: { run: string; wait: RunWait }[] = [];
  const kept = new Map<string, number>();
  let isFirstHeld = true;
  for (const one of waiting.toSorted(compareTurns)) {
    const full = one.places.filter((place) => isFull(taken, kept, place));
    if (full.length === 0) {
      admitted.push(one.run);
      take(taken, one);
      continue;
    }
    held.push({ run: one.run, wait: waitOf(one, full, taken) });
    if (isFirstHeld && now - one.requestedAt >= PATIENCE)
      for (const place of one.places) kept.set(placeKey(place), 1);
    isFirstHeld = false;
  }
  return { admitted, held };
}

function take(taken: Map<string, string[]>, { run, places }: Placed): void {
  for (const place of places) {
    const key = placeKey(place);
    const runs = taken.get(key);
    if (runs) runs.push(run);
    else taken.set(key, [run]);
  }
}

function isFull(
  taken: ReadonlyMap<string, readonly string[]>,
  kept: ReadonlyMap<string, number>,
  place: Place,
): boolean {
  const key = placeKey(place);
  return (taken.get(key)?.length ?? 0) + (kept.get(key) ?? 0) >= place.limit;
}

function waitOf(
  { said }: WaitingRun,
  full: readonly Place[],
  taken: ReadonlyMap<string, readonly string[]>,
): RunWait {
  const still = full.find(({ kind, name }) => said?.reason === kind && (said.of ?? '') === name);
  const [first] = full;
  const place = still ?? first;
  if (place === undefined) throw new RangeError('A run that is held has a place that is full.');
  const { kind, name, limit } = place;
  return {
    reason: kind,
    ...(name === '' ? {} : { of: name }),
    limit,
    by: (taken.get(placeKey(place)) ?? []).slice(0, MOST_NAMED),
  };
}
