import { describe, expect, it } from '@jest/globals';
import { formatMonth } from './month-view.ts';

describe('the calendar sheet of a month', () => {
  it('issue 6.2: counts the runs of each day and marks days with a remark', () => {
    const entries = [
      { local: '2026-02-01T02:00:00+01:00', cadence: 'full', note: '' },
      { local: '2026-02-01T06:00:00+01:00', cadence: 'incremental', note: '' },
      { local: '2026-02-01T12:00:00+01:00', cadence: 'incremental', note: '' },
      { local: '2026-02-28T02:00:00+01:00', cadence: 'full', note: 'does not run: excluded by 02-28' },
    ] as const;
    expect(formatMonth('2026-02', entries).split('\n')).toEqual([
      '2026-02',
      'Mon         Tue         Wed         Thu         Fri         Sat         Sun',
      '                                                                         1 F I2',
      ' 2           3           4           5           6           7           8',
      ' 9          10          11          12          13          14          15',
      '16          17          18          19          20          21          22',
      '23          24          25          26          27          28 !',
      'F full  I incremental  ! see the notes',
    ]);
  });

  it('widens for days on which much runs, and names every letter on it', () => {
    const entries = (['full', 'incremental', 'log', 'copyOnly'] as const).flatMap((cadence) =>
      Array.from({ length: cadence === 'log' ? 288 : 24 }, () => ({
        ...{ local: '2026-02-03T02:00:00+01:00', cadence, note: '' },
      })),
    );
    const lines = formatMonth('2026-02', entries).split('\n');
    expect(lines[3]).toContain(' 3 F24 I24 L288 C24   4 ');
    expect(lines[1]?.indexOf('Tue')).toBe(lines[3]?.indexOf(' 3 F24'));
    expect(lines.at(-1)).toBe('F full  I incremental  L log  C copy-only');
  });
});
