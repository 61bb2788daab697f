import { describe, expect, it } from '@jest/globals';
import type { Specification } from '@catena/events';
import { after, inShort, liveSchedule, withFull } from '../testing/schedule-history.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import type { ScheduleKnowledge } from './schedule-knowledge.ts';
import { initialSchedule, type ScheduleState } from './schedule-state.ts';

/** A Wednesday. */
const created = '2025-01-01T00:30:00.000Z';
const hourly = {
  source: 'docs',
  repository: 'vault',
  full: '@weekly',
  incremental: '@hourly',
  firstRun: 'scheduled',
};
const busy: ScheduleKnowledge = { ...withFull, openData: 'run-a' };

interface Step {
  readonly now: string;
  readonly knowledge?: ScheduleKnowledge;
  readonly then: readonly string[];
}

/** rule, spec, what happens at which time */
const rows: [string, Specification, Step[]][] = [
  [
    'F44, 3.6: wait is the default; at most one waits, the others leave overlap; it runs when the way is free',
    hourly,
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        then: ['incremental fired due 2025-01-01T01:00', 'run of incremental'],
      },
      {
        now: '2025-01-01T02:00:00.000Z',
        knowledge: busy,
        then: ['incremental delayed overlap 2025-01-01T02:00 by run-a'],
      },
      {
        now: '2025-01-01T03:00:00.000Z',
        knowledge: busy,
        then: ['incremental skipped overlap 2025-01-01T03:00 by run-a'],
      },
      {
        now: '2025-01-01T03:20:00.000Z',
        then: ['incremental fired due 2025-01-01T02:00', 'run of incremental'],
      },
      { now: '2025-01-01T03:21:00.000Z', then: [] },
    ],
  ],
  [
    '3.4, 3.6: logs fire on their own beside data, and one after another',
    { ...hourly, log: '*/30 * * * *' },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: busy,
        then: [
          'incremental delayed overlap 2025-01-01T01:00 by run-a',
          'log fired due 2025-01-01T01:00',
          'run of log',
        ],
      },
      {
        now: '2025-01-01T01:30:00.000Z',
        knowledge: { ...busy, openLog: 'run-l' },
        then: ['log delayed overlap 2025-01-01T01:30 by run-l'],
      },
    ],
  ],
  [
    '3.4, 3.6: a full takes the place of an incremental that waits',
    { ...hourly, full: '0 2 * * *', incremental: '@hourly' },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: busy,
        then: ['incremental delayed overlap 2025-01-01T01:00 by run-a'],
      },
      {
        now: '2025-01-01T02:00:00.000Z',
        knowledge: busy,
        then: [
          'incremental skipped superseded 2025-01-01T02:00 by full',
          'incremental skipped superseded 2025-01-01T01:00 by full',
          'full delayed overlap 2025-01-01T02:00 by run-a',
        ],
      },
      { now: '2025-01-01T02:10:00.000Z', then: ['full fired due 2025-01-01T02:00', 'run of full'] },
    ],
  ],
  [
    'F44: skip leaves the time out',
    { ...hourly, onPreviousRunning: 'skip' },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: busy,
        then: ['incremental skipped overlap 2025-01-01T01:00 by run-a'],
      },
      { now: '2025-01-01T01:10:00.000Z', then: [] },
    ],
  ],
  [
    '3.6: cancelPrevious waits for the run that it has cancelled',
    { ...hourly, incremental: { cron: '@hourly', onPreviousRunning: 'cancelPrevious' } },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: busy,
        then: ['incremental delayed cancelPrevious 2025-01-01T01:00 by run-a'],
      },
      {
        now: '2025-01-01T01:01:00.000Z',
        then: ['incremental fired due 2025-01-01T01:00', 'run of incremental'],
      },
    ],
  ],
  [
    '3.6: copy-only overlaps anything, and itself when told to start',
    { ...hourly, incremental: '@daily', copyOnly: { cron: '@hourly', onPreviousRunning: 'start' } },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: { ...busy, openCopyOnly: 'run-c' },
        then: ['copyOnly fired due 2025-01-01T01:00', 'run of copy-only full'],
      },
    ],
  ],
  [
    '3.6: copy-only waits for itself by default, not for data runs',
    { ...hourly, incremental: '@daily', copyOnly: '@hourly' },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: busy,
        then: ['copyOnly fired due 2025-01-01T01:00', 'run of copy-only full'],
      },
      {
        now: '2025-01-01T02:00:00.000Z',
        knowledge: { ...withFull, openCopyOnly: 'run-c' },
        then: ['copyOnly delayed overlap 2025-01-01T02:00 by run-c'],
      },
    ],
  ],
  [
    'F41, 3.5: catchUp latest runs the last missed time, the others leave one event',
    hourly,
    [
      {
        now: '2025-01-01T05:20:00.000Z',
        then: [
          'incremental skipped missed 2025-01-01T01:00..2025-01-01T04:00 (4)',
          'incremental fired catchUp 2025-01-01T05:00',
          'run of incremental',
        ],
      },
    ],
  ],
  [
    '3.5: catchUp all collapses to one for a source that cannot give the past',
    { ...hourly, catchUp: 'all' },
    [
      {
        now: '2025-01-01T03:20:00.000Z',
        then: [
          'incremental skipped missed 2025-01-01T01:00..2025-01-01T02:00 (2)',
          'incremental fired catchUp 2025-01-01T03:00',
          'run of incremental',
        ],
      },
    ],
  ],
  [
    '3.5: catchUp none leaves every missed time out; what is in time still runs',
    { ...hourly, catchUp: 'none' },
    [
      {
        now: '2025-01-01T05:20:00.000Z',
        then: ['incremental skipped missed 2025-01-01T01:00..2025-01-01T05:00 (5)'],
      },
      {
        now: '2025-01-01T06:00:02.000Z',
        then: ['incremental fired due 2025-01-01T06:00', 'run of incremental'],
      },
    ],
  ],
  [
    '3.5: nothing later than catchUpWindow is caught up',
    { ...hourly, incremental: '0 1 * * *', catchUpWindow: '2h' },
    [{ now: '2025-01-01T04:00:00.000Z', then: ['incremental skipped missed 2025-01-01T01:00'] }],
  ],
  [
    '3.5: within catchUpWindow it is',
    { ...hourly, incremental: '0 1 * * *', catchUpWindow: '4h' },
    [
      {
        now: '2025-01-01T04:00:00.000Z',
        then: ['incremental fired catchUp 2025-01-01T01:00', 'run of incremental'],
      },
    ],
  ],
  [
    'issue 6.1: excluded times leave an event with what excludes them',
    { ...hourly, exclude: ['2025-01-01'] },
    [
      {
        now: '2025-01-02T00:00:00.000Z',
        then: [
          'incremental skipped excluded 2025-01-01T01:00..2025-01-01T23:00 (23) by 2025-01-01',
          'incremental fired due 2025-01-02T00:00',
          'run of incremental',
        ],
      },
    ],
  ],
  [
    'issue 6.4: times outside the window leave an event',
    { ...hourly, window: { from: '02:00', to: '04:00' } },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        then: ['incremental skipped outsideWindow 2025-01-01T01:00 by 02:00-04:00'],
      },
      {
        now: '2025-01-01T02:00:00.000Z',
        then: ['incremental fired due 2025-01-01T02:00', 'run of incremental'],
      },
    ],
  ],
  [
    'issue 6.4: what waits when the window closes does not run',
    { ...hourly, window: { from: '01:00', to: '02:00' } },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: busy,
        then: ['incremental delayed overlap 2025-01-01T01:00 by run-a'],
      },
      { now: '2025-01-01T01:59:59.000Z', knowledge: busy, then: [] },
      {
        now: '2025-01-01T02:00:00.000Z',
        knowledge: busy,
        then: [
          'incremental skipped outsideWindow 2025-01-01T02:00 by 01:00-02:00',
          'incremental skipped outsideWindow 2025-01-01T01:00 by 01:00-02:00',
        ],
      },
    ],
  ],
  [
    'issue 6.4: after another schedule waits while that one runs',
    { ...hourly, after: 'first' },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: { ...withFull, before: 'run-b' },
        then: ['incremental delayed after 2025-01-01T01:00 by run-b'],
      },
      {
        now: '2025-01-01T01:10:00.000Z',
        then: ['incremental fired due 2025-01-01T01:00', 'run of incremental'],
      },
    ],
  ],
  [
    'issue 6.4: after another schedule skips when that one failed',
    { ...hourly, after: ['first'] },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        knowledge: { ...withFull, failedBefore: 'run-b' },
        then: ['incremental skipped dependencyFailed 2025-01-01T01:00 by run-b'],
      },
    ],
  ],
  [
    'F43, 3.7: onExecutionFailure pause pauses after the first failed run',
    { ...hourly, onExecutionFailure: 'pause' },
    [
      {
        now: '2025-01-01T00:40:00.000Z',
        knowledge: { ...withFull, failures: { count: 1, run: 'run-a', at: created } },
        then: ['paused: run-a failed'],
      },
      { now: '2025-01-01T09:00:00.000Z', then: [] },
    ],
  ],
  [
    'issue 6.4: pauseAfterFailures counts failed runs in a row',
    { ...hourly, pauseAfterFailures: 3 },
    [
      {
        now: '2025-01-01T00:40:00.000Z',
        knowledge: { ...withFull, failures: { count: 2, run: 'run-a', at: created } },
        then: [],
      },
      {
        now: '2025-01-01T00:41:00.000Z',
        knowledge: { ...withFull, failures: { count: 3, run: 'run-b', at: created } },
        then: ['paused: 3 runs in a row failed, the last was run-b'],
      },
    ],
  ],
  [
    'issue 6.4: a limit of runs pauses the schedule with the last of them',
    { ...hourly, runs: 2 },
    [
      {
        now: '2025-01-01T01:00:00.000Z',
        then: ['incremental fired due 2025-01-01T01:00', 'run of incremental'],
      },
      {
        now: '2025-01-01T02:00:00.000Z',
        then: [
          'incremental fired due 2025-01-01T02:00',
          'paused: all 2 runs that it may make are made',
          'run of incremental',
        ],
      },
      { now: '2025-01-01T03:00:00.000Z', then: [] },
    ],
  ],
];

describe('a schedule and its policies', () => {
  it.each(rows)('rule %s', (_, spec, steps) => {
    const live = liveSchedule([created, spec]);
    let state: ScheduleState = initialSchedule;
    for (const { now, knowledge = withFull, then } of steps) {
      const due = nextDueInstant(state, live, knowledge);
      const events = decideTick(state, live, knowledge, now);
      expect(inShort(events)).toEqual(then);
      expect([now, due !== undefined && due <= now]).toEqual([now, events.length > 0]);
      state = after(now, events, state);
      expect(decideTick(state, live, knowledge, now)).toEqual([]);
    }
  });

  it('issue 6.4: a run carries its retries, its time limit and the end of its window', () => {
    const live = liveSchedule([
      created,
      {
        ...hourly,
        timeZone: 'Europe/Berlin',
        retry: { attempts: 3, firstDelay: '1m' },
        timeLimit: '4h',
        window: { from: '01:00', to: '06:00', must: 'end' },
      },
    ]);
    const events = decideTick(initialSchedule, live, withFull, '2025-01-01T01:00:00.000Z');
    expect(events.find(({ type }) => type === 'run.requested')?.data).toMatchObject({
      limits: {
        retry: { attempts: 3, firstDelay: 60_000, factor: 2, longestDelay: 900_000 },
        timeLimit: 14_400_000,
        deadline: '2025-01-01T05:00:00.000Z',
      },
    });
  });

  it('F43: reschedule gives a run one attempt', () => {
    const live = liveSchedule([created, { ...hourly, onExecutionFailure: 'reschedule' }]);
    const events = decideTick(initialSchedule, live, withFull, '2025-01-01T01:00:00.000Z');
    expect(events.find(({ type }) => type === 'run.requested')?.data).toMatchObject({
      limits: { retry: { attempts: 1 } },
    });
  });

  it('3.11: jitter is the same for a schedule for ever, and never passes the next time', () => {
    const starts = (jitter: string) => {
      const live = liveSchedule([created, { ...hourly, incremental: '*/10 * * * *', jitter }]);
      const first = nextDueInstant(initialSchedule, live, withFull)!;
      const state = after(first, decideTick(initialSchedule, live, withFull, first));
      expect(Object.values(state.decided)).toEqual(['2025-01-01T00:40:00.000Z']);
      return [first, nextDueInstant(state, live, withFull)!];
    };
    const [one, two] = starts('5m');
    expect(Date.parse(two!) - Date.parse(one!)).toBe(600_000);
    expect(Date.parse(one!) - Date.parse('2025-01-01T00:40:00.000Z')).toBeGreaterThan(0);
    expect(starts('5m')).toEqual([one, two]);
    expect(starts('3d')[0]! < '2025-01-01T00:50:00.000Z').toBe(true);
  });

  it('3.4, 3.11: coinciding cadences stay together under jitter', () => {
    const live = liveSchedule([created, { ...hourly, full: '0 2 * * *', jitter: '30m' }]);
    const state = { ...initialSchedule, decided: { incremental: '2025-01-01T01:00:00.000Z' } };
    const now = nextDueInstant(state, live, withFull)!;
    expect(inShort(decideTick(state, live, withFull, now))).toEqual([
      'full fired due 2025-01-01T02:00',
      'incremental skipped superseded 2025-01-01T02:00 by full',
      'run of full',
    ]);
  });

  it('3.2: a first run waits for the window to open', () => {
    const live = liveSchedule([
      created,
      { ...hourly, firstRun: 'now', window: { from: '02:00', to: '04:00' } },
    ]);
    const state = { ...initialSchedule, decided: { incremental: '2025-01-01T02:00:00.000Z' } };
    expect(nextDueInstant(state, live, withFull)).toBe('2025-01-01T02:00:00.000Z');
    expect(inShort(decideTick(state, live, withFull, '2025-01-01T02:00:00.000Z'))).toEqual([
      'full fired firstRun 2025-01-01T02:00',
      'run of full',
    ]);
  });
});
