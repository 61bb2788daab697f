import { aggregateTypeOf, type AnyDomainEvent, type Specification } from '@catena/events';
import type { TimedEvent } from '../folding/timed-event.ts';
import type { ScheduleKnowledge } from '../schedule/schedule-knowledge.ts';
import { evolveLiveSchedule, type LiveSchedule } from '../schedule/live-schedule.ts';
import { evolveSchedule, initialSchedule, type ScheduleState } from '../schedule/schedule-state.ts';

/** An event that was decided at a time, as the log would give it back. */
export function at(time: string, event: AnyDomainEvent): TimedEvent {
  const { type, aggregateId, data } = event;
  return { type, data, time, aggregate: { type: aggregateTypeOf(type), id: aggregateId } } as TimedEvent;
}

/** A schedule that was defined, and perhaps changed, at given times. */
export function liveSchedule(...versions: readonly [time: string, spec: Specification][]): LiveSchedule {
  const live = versions.reduce<LiveSchedule | undefined>((before, [time, spec], index) => {
    const data = {
      kind: 'Schedule',
      name: 'nightly',
      uid: 'sch-1',
      generation: index + 1,
      labels: {},
      spec,
    } as const;
    const aggregate = { type: 'definition', id: 'schedule-nightly' } as const;
    return evolveLiveSchedule(before, { type: 'definition.applied', aggregate, time, data });
  }, undefined);
  if (!live) throw new Error('A schedule needs a first version.');
  return live;
}

/** The state after events that were decided at a time. */
export function after(
  time: string,
  events: readonly AnyDomainEvent[],
  state: ScheduleState = initialSchedule,
): ScheduleState {
  return events.reduce((folded, event) => evolveSchedule(folded, at(time, event)), state);
}

/** Nothing has been backed up yet. */
export const noFull: ScheduleKnowledge = { usableFull: false, firstFull: 'none' };
/** A full is there. */
export const withFull: ScheduleKnowledge = { usableFull: true, firstFull: 'completed' };

/** A schedule's events in one line each, for tables of expectations. */
export function inShort(events: readonly AnyDomainEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'schedule.fired': {
        const { cadence, reason, nominal } = event.data;
        return [`${cadence} fired ${reason} ${nominal.slice(0, 16)}`];
      }
      case 'schedule.skipped': {
        const { cadence, reason, nominal, by, until, missed } = event.data;
        const range = until === undefined ? '' : `..${until.slice(0, 16)} (${missed})`;
        return [
          `${cadence} skipped ${reason} ${nominal.slice(0, 16)}${range}${by === undefined ? '' : ` by ${by}`}`,
        ];
      }
      case 'schedule.delayed': {
        const { cadence, reason, nominal, by } = event.data;
        return [`${cadence} delayed ${reason} ${nominal.slice(0, 16)} by ${by}`];
      }
      case 'schedule.paused':
        return [`paused: ${event.data.reason}`];
      case 'run.requested': {
        const { request } = event.data;
        const kind =
          request.kind === 'backup' ? `${request.copyOnly ? 'copy-only ' : ''}${request.type}` : request.kind;
        return [`run of ${kind}`];
      }
      default:
        return [event.type];
    }
  });
}
