import { describe, expect, it } from '@jest/globals';
import { inShort, liveSchedule } from '../testing/schedule-history.ts';
import { backfillSchedule } from './backfill.ts';
import { SchedulePausedError } from './decide-command.ts';
import { initialSchedule } from './schedule-state.ts';

const live = liveSchedule([
  '2025-06-01T00:00:00.000Z',
  {
    source: 'docs',
    repository: 'vault',
    full: '@weekly',
    incremental: '@daily',
    copyOnly: '@monthly',
    exclude: ['2025-01-04'],
  },
]);
const now = '2025-06-10T00:00:00.000Z';
const january = { id: 'b1', from: '2025-01-01T00:00:00.000Z', to: '2025-02-01T00:00:00.000Z' };

describe('a backfill', () => {
  it('issue 6.4: makes one run of the chain and one copy-only run for all times, and says so', () => {
    const { events, count, rows } = backfillSchedule(initialSchedule, live, january, now);
    const run = rows.find((row) => row.run !== undefined)?.run ?? '';
    expect(inShort(events)).toEqual([
      `full skipped superseded 2025-01-05T00:00..2025-01-19T00:00 (3) by ${run}`,
      `incremental skipped superseded 2025-01-02T00:00..2025-02-01T00:00 (30) by ${run}`,
      'full fired backfill 2025-01-26T00:00',
      'copyOnly fired backfill 2025-02-01T00:00',
      'run of full',
      'run of copy-only full',
    ]);
    expect(count).toBe(4 + 31 + 1);
    expect(rows.filter(({ action }) => action === 'run')).toHaveLength(2);
    expect(rows.filter(({ action }) => action === 'excluded')).toMatchObject([
      { nominal: '2025-01-04T00:00:00.000Z' },
    ]);
  });

  it('issue 6.4: the same backfill names the same runs, another one others', () => {
    const runs = (id: string) =>
      backfillSchedule(initialSchedule, live, { ...january, id }, now).events.flatMap(
        ({ type, aggregateId }) => (type === 'run.requested' ? [aggregateId] : []),
      );
    expect(runs('b1')).toEqual(runs('b1'));
    expect(runs('b2')).not.toEqual(runs('b1'));
  });

  it('issue 6.4: is refused in the future, backwards, for an absent cadence, and on a paused schedule', () => {
    const ask =
      (change: object, state = initialSchedule) =>
      () =>
        backfillSchedule(state, live, { ...january, ...change }, now);
    expect(ask({ to: '2025-07-01T00:00:00.000Z' })).toThrow(/into the future/);
    expect(ask({ to: january.from })).toThrow(/has no times/);
    expect(ask({ cadence: 'differential' })).toThrow(/no differential cadence/);
    expect(ask({}, { ...initialSchedule, paused: { since: now } })).toThrow(SchedulePausedError);
  });
});
