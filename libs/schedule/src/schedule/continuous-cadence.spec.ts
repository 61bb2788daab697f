import { describe, expect, it } from '@jest/globals';
import type { Specification } from '@catena/events';
import { CONTINUOUS } from '../calendar/rhythm.ts';
import { parseDefinitions } from '../definitions/parse-definitions.ts';
import { readScheduleSpec } from '../definitions/read-spec.ts';
import { previewSchedules } from '../preview/preview-schedules.ts';
import { after, inShort, liveSchedule, noFull, withFull } from '../testing/schedule-history.ts';
import { backfillSchedule } from './backfill.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import { initialSchedule } from './schedule-state.ts';

const made = '2026-03-01T00:00:00.000Z';
const later = '2026-03-01T00:00:10.500Z';

function schedule(log: unknown, more: Specification = {}) {
  return liveSchedule([
    made,
    { source: 'bank', repository: 'vault', full: '@weekly', log, firstRun: 'scheduled', ...more },
  ]);
}

function problemsOf(log: string): string[] {
  const text = `apiVersion: catena/v1
kind: Schedule
metadata: { name: bank }
spec: { source: bank, repository: vault, full: '@weekly', log: ${log} }
`;
  const file = { name: 'bank.yaml', text };
  const parsed = parseDefinitions([file], [], { references: 'mayBeAbsent' });
  return parsed.ok ? [] : parsed.problems.map(({ found, expected }) => `${found}: ${expected}`);
}

describe('a log that is continuous', () => {
  it('is one run after the other: due when none is open, and each second that one is open is no event', () => {
    const live = schedule('continuous');
    const open = { ...withFull, openLog: 'run-before' };
    expect(decideTick(initialSchedule, live, open, later)).toEqual([]);
    expect(nextDueInstant(initialSchedule, live, open)).toBe('2026-03-08T00:00:00.000Z');

    expect(nextDueInstant(initialSchedule, live, withFull)).toBe('2026-03-01T00:00:01.000Z');
    const events = decideTick(initialSchedule, live, withFull, later);
    expect(inShort(events)).toEqual(['log fired due 2026-03-01T00:00', 'run of log']);
    expect(events[0]).toMatchObject({ data: { nominal: '2026-03-01T00:00:10.000Z' } });
    const state = after(later, events);
    expect(decideTick(state, live, withFull, later)).toEqual([]);
    expect(nextDueInstant(state, live, withFull)).toBe('2026-03-01T00:00:11.000Z');
  });

  it('waits for the first full without a word', () => {
    expect(decideTick(initialSchedule, schedule('continuous'), noFull, later)).toEqual([]);
  });

  it('knows no hours and no jitter: the log is written at any time', () => {
    const live = schedule('continuous', {
      window: { from: '22:00', to: '23:00' },
      exclude: ['2026-03-01'],
      jitter: '30m',
    });
    expect(inShort(decideTick(initialSchedule, live, withFull, later))).toEqual([
      'log fired due 2026-03-01T00:00',
      'run of log',
    ]);
  });

  it('says to the run when it is sealed', () => {
    const streamOf = (log: unknown) => decideTick(initialSchedule, schedule(log), withFull, later)[1];
    expect(streamOf('continuous')).toMatchObject({
      data: { request: { type: 'log', stream: { sealAfter: 10_000, sealBytes: 268_435_456 } } },
    });
    expect(streamOf({ continuous: true, sealAfter: '3s', sealSize: '16MiB' })).toMatchObject({
      data: { request: { stream: { sealAfter: 3_000, sealBytes: 16_777_216 } } },
    });
    expect(streamOf('* * * * * *')).not.toHaveProperty('data.request.stream');
  });

  it('has no times of its own to list or to make up for', () => {
    const live = schedule('continuous');
    const rows = previewSchedules([{ name: 'bank', spec: live.spec }], made, { count: 2 });
    expect(rows.map(({ cadence }) => cadence)).toEqual(['full', 'full']);
    const backfill = { id: 'b', from: made, to: '2026-03-09T00:00:00.000Z' };
    const { count } = backfillSchedule(initialSchedule, live, backfill, '2026-03-09T00:00:00.000Z');
    expect(count).toBe(1);
  });

  it('is for logs alone, and beside no rhythm', () => {
    expect(
      readScheduleSpec({ source: 'b', repository: 'v', full: '@daily', log: 'continuous' }),
    ).toMatchObject({ cadences: { log: { rhythm: CONTINUOUS } } });
    expect(problemsOf('continuous')).toEqual([]);
    expect(problemsOf('{ continuous: true, sealAfter: 5s }')).toEqual([]);
    expect(problemsOf('{ continuous: true, every: 5s }')).toEqual(['`every`: no rhythm beside `continuous`']);
    expect(problemsOf('{ continuous: true, sealAfter: soon }')[0]).toMatch(/^"soon": a duration/);
    expect(problemsOf('{ continuous: false }')).toEqual(['neither: either `cron` or `every`']);
  });
});
