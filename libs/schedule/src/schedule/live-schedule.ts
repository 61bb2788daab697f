import { effectiveCadences, type EffectiveCadence } from '../cadence/effective-cadences.ts';
import type { ScheduleSpec } from '../definitions/kinds/schedule.ts';
import type { DefinitionState } from '../definition-history/definition-state.ts';
import { sameJson } from '../definition-history/same-json.ts';
import { readScheduleSpec, scheduleSpecReadBefore } from '../definitions/read-spec.ts';
import { ownText } from '../folding/own-text.ts';
import type { TimedEvent } from '../folding/timed-event.ts';

/** A cadence and since when it has its present times: nothing at or before that instant is due. */
export interface LiveCadence extends EffectiveCadence {
  readonly since: string;
}

/** A Schedule's definition with what its history says about time. Plain JSON. */
export interface LiveSchedule {
  readonly uid: string;
  readonly name: string;
  readonly spec: ScheduleSpec;
  readonly createdAt: string;
  /** Since when it backs up this source into this repository. */
  readonly targetSince: string;
  readonly cadences: readonly LiveCadence[];
}

/**
 * The schedule after one more event of its definition. A changed cadence or zone counts from the change on, so the
 * next run moves and no time before the change is taken for missed; an unrelated change moves nothing (rule 3.9).
 * @throws SpecNotUnderstoodError
 */
export function evolveLiveSchedule(
  live: LiveSchedule | undefined,
  event: TimedEvent,
): LiveSchedule | undefined {
  if (event.type === 'definition.deleted' && event.data.kind === 'Schedule') return undefined;
  if (event.type !== 'definition.applied' || event.data.kind !== 'Schedule') return live;
  const { uid, name } = event.data;
  const spec = readScheduleSpec(event.data.spec);
  const now = ownText(event.time);
  const before = live?.uid === uid ? live : undefined;
  const sameTarget = before?.spec.source === spec.source && before.spec.repository === spec.repository;
  return {
    uid,
    name,
    spec,
    createdAt: before?.createdAt ?? now,
    targetSince: before && sameTarget ? before.targetSince : now,
    cadences: effectiveCadences(spec.cadences).map((cadence) => ({
      ...cadence,
      since: sinceBefore(before, spec, cadence) ?? now,
    })),
  };
}

/** What the history of a schedule adds to its definition: since when things count. */
export interface ScheduleTimes {
  readonly createdAt: string;
  readonly targetSince: string;
  /** Of its cadences, in order; one text when it is the same of all. */
  readonly since: string | readonly string[];
}

/** Taken out of a live schedule, so that with its definition it can be put together again. */
export function timesOfSchedule({ createdAt, targetSince, cadences }: LiveSchedule): ScheduleTimes {
  const [first = createdAt, ...others] = cadences.map(({ since }) => since);
  const since = others.every((other) => other === first) ? first : [first, ...others];
  return { createdAt, targetSince, since };
}

/** A live schedule again, of a definition that this build has read before and checks no more. */
export function liveScheduleAgain(
  { uid, name, spec: stored }: Pick<DefinitionState, 'uid' | 'name' | 'spec'>,
  { createdAt, targetSince, since }: ScheduleTimes,
): LiveSchedule {
  const spec = scheduleSpecReadBefore(stored);
  const cadences = effectiveCadences(spec.cadences).map((cadence, index) => ({
    ...cadence,
    since: typeof since === 'string' ? since : (since[index] ?? createdAt),
  }));
  return { uid, name, spec, createdAt, targetSince, cadences };
}

/** What decides upon the times of a cadence beside its rhythm and zone. */
function timesOf({ calendar: { start, end, dst } }: ScheduleSpec) {
  return { start, end, dst };
}

function sinceBefore(
  before: LiveSchedule | undefined,
  spec: ScheduleSpec,
  { cadence, rhythm }: EffectiveCadence,
): string | undefined {
  if (before?.spec.timeZone !== spec.timeZone) return undefined;
  if (!sameJson(timesOf(before.spec), timesOf(spec))) return undefined;
  return before.cadences.find((other) => other.cadence === cadence && other.rhythm === rhythm)?.since;
}
