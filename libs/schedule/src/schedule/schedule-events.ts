import {
  domainEvent,
  type AnyDomainEvent,
  type Cadence,
  type EventData,
  type RunLimits,
  type RunRequest,
} from '@catena/events';
import type { EffectiveCadence } from '../cadence/effective-cadences.ts';
import { nextClosing } from '../calendar/hour-window.ts';
import { isoInstant, millisecondsOf } from '../calendar/recurrence.ts';
import type { DueRow } from './due-times.ts';
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
    // No driver can give the past yet, so every backup stands for the time at which it is read (rule 3.5).
    fired: domainEvent('schedule.fired', uid, {
      schedule: name,
      cadence: cadence.cadence,
      ...when,
      asOf: 'now',
    }),
    requested: domainEvent('run.requested', when.run, {
      request: requestOf(live, cadence),
      schedule: name,
      scheduleUid: uid,
      cadence: cadence.cadence,
      nominal: when.nominal,
      ...limitsOf(live, when.actual),
      ...(live.spec.priority === 'normal' ? {} : { priority: live.spec.priority }),
    }),
  };
}

/** How the run may behave; left out when the schedule says nothing about it. */
function limitsOf({ spec: { policies, timeZone } }: LiveSchedule, actual: string): { limits?: RunLimits } {
  const { retry, timeLimit, window } = policies;
  const closing = window?.must === 'end' ? nextClosing(window, millisecondsOf(actual), timeZone) : undefined;
  const limits: RunLimits = {
    ...(retry === undefined ? {} : { retry }),
    ...(timeLimit === undefined ? {} : { timeLimit }),
    ...(closing === undefined ? {} : { deadline: isoInstant(closing) }),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}

/** The first full must be read, whatever the method: there is nothing yet that one could be composed from. */
function requestOf({ spec }: LiveSchedule, { cadence, copyOnly }: EffectiveCadence): RunRequest {
  const { source, repository } = spec;
  const { stream } = spec.cadences.log ?? {};
  if (cadence === 'full' && spec.cadences.full?.composed === true)
    return { kind: 'compose', source, repository, whenNoFull: 'full' };
  return {
    kind: 'backup',
    source: spec.source,
    repository: spec.repository,
    type: cadence === 'copyOnly' ? (spec.cadences.copyOnly?.type ?? 'full') : cadence,
    copyOnly: copyOnly || cadence === 'copyOnly',
    whenNoFull: spec.whenNoFull,
    ...(cadence === 'log' && stream !== undefined ? { stream } : {}),
  };
}

/** Due times that become no run: one event for a whole row of them. */
export function skipping(
  live: LiveSchedule,
  due: Pick<DueRow, 'first' | 'latest' | 'count'> & { readonly cadence: { readonly cadence: Cadence } },
  actual: string,
  reason: SkipReason,
  by?: string,
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

/** A due time that waits until a run is over. */
export function delaying(
  live: LiveSchedule,
  { cadence }: EffectiveCadence,
  when: Omit<EventData<'schedule.delayed'>, 'schedule' | 'cadence'>,
): AnyDomainEvent {
  return domainEvent('schedule.delayed', live.uid, { schedule: live.name, cadence, ...when });
}
