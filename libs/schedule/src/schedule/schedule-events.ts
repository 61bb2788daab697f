import {
  domainEvent,
  type AnyDomainEvent,
  type Cadence,
  type EventData,
  type RunRequest,
} from '@catena/events';
import type { EffectiveCadence } from '../cadence/effective-cadences.ts';
import type { DueTimes } from './due-times.ts';
import type { LiveSchedule } from './live-schedule.ts';

type FiredReason = EventData<'schedule.fired'>['reason'];
type SkipReason = EventData<'schedule.skipped'>['reason'];

/** One firing; both events belong into one append (rule 3.8). */
export function firing(
  live: LiveSchedule,
  cadence: EffectiveCadence,
  when: { nominal: string; actual: string; run: string; reason: FiredReason },
): { fired: AnyDomainEvent; requested: AnyDomainEvent } {
  const { uid, name } = live;
  return {
    fired: domainEvent('schedule.fired', uid, { schedule: name, cadence: cadence.cadence, ...when }),
    requested: domainEvent('run.requested', when.run, {
      request: requestOf(live, cadence),
      schedule: name,
      scheduleUid: uid,
      cadence: cadence.cadence,
      nominal: when.nominal,
    }),
  };
}

function requestOf({ spec }: LiveSchedule, { cadence, copyOnly }: EffectiveCadence): RunRequest {
  return {
    kind: 'backup',
    source: spec.source,
    repository: spec.repository,
    type: cadence === 'copyOnly' ? 'full' : cadence,
    copyOnly: copyOnly || cadence === 'copyOnly',
    whenNoFull: spec.whenNoFull,
  };
}

/** Due times that become no run: one event for a whole row of them. */
export function skipping(
  live: LiveSchedule,
  due: Pick<DueTimes, 'cadence' | 'first' | 'latest' | 'count'>,
  actual: string,
  reason: SkipReason,
  by?: Cadence,
): AnyDomainEvent {
  return domainEvent('schedule.skipped', live.uid, {
    schedule: live.name,
    cadence: due.cadence.cadence,
    nominal: due.first,
    actual,
    reason,
    ...(by === undefined ? {} : { by }),
    ...(due.count > 1 ? { until: due.latest, missed: due.count } : {}),
  });
}
