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
      'F full  D differential  I incremental  C copy-only  ! see the notes',
    ]);
  });
});
