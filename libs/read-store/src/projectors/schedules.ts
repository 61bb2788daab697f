import type { RowContent, ScheduleRow, ScheduleSkip } from '../rows/index.ts';
import { ownRow, type Handler, type Projector } from './projector.ts';
import type { EventType, RecordedEvent } from '@catena/events';

type Schedule = RowContent<ScheduleRow>;

export const schedules: Projector<Schedule> = {
  handlers: {
    'definition.applied': {
      key: ({ data }) => (data.kind === 'Schedule' ? data.uid : undefined),
      apply: (row, { data }) =>
        row ?? {
          uid: data.uid,
          name: data.name,
          paused: false,
          pauseReason: null,
          lastFired: {},
          lastRun: null,
          lastSkip: null,
        },
    },
    'definition.deleted': {
      key: ({ data }) => (data.kind === 'Schedule' ? data.uid : undefined),
      apply: () => undefined,
    },
    'schedule.fired': whileDefined((row, { data }) => ({
      ...row,
      lastFired: { ...row.lastFired, [data.cadence]: later(row.lastFired[data.cadence], data.nominal) },
      lastRun: data.run,
    })),
    'schedule.skipped': whileDefined((row, { data }) => ({ ...row, lastSkip: skipOf(data) })),
    'schedule.paused': whileDefined((row, { data }) => ({
      ...row,
      paused: true,
      pauseReason: data.reason ?? null,
    })),
    'schedule.resumed': whileDefined((row) => ({ ...row, paused: false, pauseReason: null })),
  },
};

/** A decision about time may reach the log just after its schedule's definition was deleted: there is nothing to show then. */
function whileDefined<T extends EventType>(
  apply: (row: Schedule, event: RecordedEvent<T>) => Schedule,
): Handler<Schedule, T> {
  return ownRow((row, event) => (row === undefined ? undefined : apply(row, event)));
}

function later(before: string | undefined, nominal: string): string {
  return before !== undefined && before > nominal ? before : nominal;
}

function skipOf(data: RecordedEvent<'schedule.skipped'>['data']): ScheduleSkip {
  const { schedule: _name, ...skip } = data;
  return skip;
}
