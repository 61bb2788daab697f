import { describe, expect, it } from '@jest/globals';
import type { Cadence } from '@catena/events';
import { after, inShort, liveSchedule, noFull, withFull } from '../testing/schedule-history.ts';
import {
  CadenceAbsentError,
  pauseSchedule,
  resumeSchedule,
  runScheduleNow,
  SchedulePausedError,
} from './decide-command.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import { initialSchedule } from './schedule-state.ts';

const target = { source: 'docs', repository: 'vault' };
const created = '2025-01-01T09:30:00.000Z';
const live = liveSchedule([
  created,
  { ...target, full: '@daily', incremental: '@hourly', copyOnly: '@weekly' },
]);
const run = 'run-1';

describe('pausing a schedule', () => {
  const paused = after(created, pauseSchedule(initialSchedule, live, 'the disk is away'));

  it('rule 3.9: given it runs, when paused, then it says why', () => {
    expect(pauseSchedule(initialSchedule, live, 'the disk is away')).toEqual([
      {
        type: 'schedule.paused',
        aggregateId: 'sch-1',
        data: { schedule: 'nightly', reason: 'the disk is away' },
      },
    ]);
    expect(paused.paused).toEqual({ since: created, reason: 'the disk is away' });
    expect(nextDueInstant(paused, live, withFull)).toBeUndefined();
  });

  it('rule 3.9: given it is paused, when paused, then nothing happens', () => {
    expect(pauseSchedule(paused, live, undefined)).toEqual([]);
  });

  it('rule 3.7: given it is paused, when resumed, then the times of the pause are named and do not fire', () => {
    const now = '2025-01-02T11:30:00.000Z';
    const events = resumeSchedule(paused, live, withFull, now);
    expect(inShort(events)).toEqual([
      'full skipped paused 2025-01-02T00:00',
      'incremental skipped paused 2025-01-01T10:00..2025-01-02T11:00 (26)',
      'schedule.resumed',
    ]);
    const resumed = after(now, events, paused);
    expect(decideTick(resumed, live, withFull, now)).toEqual([]);
    expect(nextDueInstant(resumed, live, withFull)).toBe('2025-01-02T12:00:00.000Z');
  });

  it('rule 3.2: given the first full is owed, when resumed, then it fires', () => {
    const now = '2025-01-02T11:30:00.000Z';
    const resumed = after(now, resumeSchedule(paused, live, noFull, now), paused);
    expect(inShort(decideTick(resumed, live, noFull, now))).toEqual([
      'full skipped missed 2025-01-01T09:30',
      'full fired catchUp 2025-01-02T00:00',
      'run of full',
    ]);
  });

  it('rule 3.9: given it runs, when resumed, then nothing happens', () => {
    expect(resumeSchedule(initialSchedule, live, withFull, created)).toEqual([]);
  });

  it('rule 3.9: given it is paused, when it is to run now, then it is refused with the reason', () => {
    expect(() => runScheduleNow(paused, live, { run }, created)).toThrow(SchedulePausedError);
    expect(() => runScheduleNow(paused, live, { run }, created)).toThrow(/the disk is away/);
  });
});

describe('running a schedule now', () => {
  const rows: [Cadence | undefined, string[]][] = [
    [undefined, ['incremental fired runNow 2025-01-01T10:00', 'run of incremental']],
    ['full', ['full fired runNow 2025-01-01T10:00', 'run of full']],
    ['copyOnly', ['copyOnly fired runNow 2025-01-01T10:00', 'run of copy-only full']],
  ];
  it.each(rows)('rule 3.9: of cadence %s', (cadence, expected) => {
    const events = runScheduleNow(initialSchedule, live, { cadence, run }, '2025-01-01T10:00:00.000Z');
    expect(inShort(events)).toEqual(expected);
    expect(events.at(-1)?.aggregateId).toBe(run);
  });

  it('rule 3.9: moves no due time, not even one of the same instant', () => {
    const now = '2025-01-01T10:00:00.000Z';
    const state = after(now, runScheduleNow(initialSchedule, live, { run }, now));
    expect(state.lastRun).toBe(run);
    expect(nextDueInstant(state, live, withFull)).toBe(now);
  });

  it('refuses a cadence that the schedule does not have', () => {
    expect(() => runScheduleNow(initialSchedule, live, { cadence: 'differential', run }, created)).toThrow(
      CadenceAbsentError,
    );
  });
});
