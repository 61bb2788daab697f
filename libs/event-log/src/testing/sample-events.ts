import { domainEvent, stamp, type AggregateRef, type AnyNewEvent } from '@catena/events';
import type { AggregateHead, AppendPart } from '../port/event-log.ts';

/** Events of a run with the shape of real ones; each `cause` gives other ids. */
export function claimsOf(run: string, count: number, cause = `cause-${run}`): AnyNewEvent[] {
  return stamp(
    Array.from({ length: count }, (_, index) =>
      domainEvent('run.claimed', run, { attempt: index + 1, mover: 'mover-1' }),
    ),
    {
      time: '2026-03-01T12:00:00.000Z',
      actor: 'mover:one',
      correlationId: run,
      causationId: cause,
    },
  );
}

/** One event of a schedule, for appends over several aggregates and for filters by type. */
export function pauseOf(schedule: string, cause = `cause-${schedule}`): AnyNewEvent[] {
  return stamp([domainEvent('schedule.paused', schedule, { schedule: 'nightly', reason: 'maintenance' })], {
    time: '2026-03-01T12:00:00.000Z',
    actor: 'person:Zoë O\u2019Hara',
    correlationId: schedule,
    causationId: cause,
  });
}

export function runRef(id: string): AggregateRef {
  return { type: 'run', id };
}

export function scheduleRef(id: string): AggregateRef {
  return { type: 'schedule', id };
}

export function part(
  aggregate: AggregateRef,
  expected: AggregateHead,
  events: readonly AnyNewEvent[],
): AppendPart {
  return { aggregate, expected, events };
}
