import { describe, expect, it } from '@jest/globals';
import type { Specification } from '@catena/events';
import { readScheduleSpec } from '../definitions/read-spec.ts';
import { previewSchedules } from './preview-schedules.ts';

function preview(spec: Specification, from: string, count: number) {
  const schedule = {
    name: 'nightly',
    spec: readScheduleSpec({ source: 'docs', repository: 'vault', ...spec }),
  };
  return previewSchedules([schedule], from, { count }).map(
    ({ cadence, at, local, note }) => `${cadence} ${at.slice(0, 16)} ${local.slice(11)}${note && ` ${note}`}`,
  );
}

describe('a preview', () => {
  it('issue 6.2: notes a time that a clock change moved', () => {
    expect(preview({ timeZone: 'Europe/Berlin', full: '30 2 * * *' }, '2025-03-29T12:00:00Z', 2)).toEqual([
      'full 2025-03-30T01:30 03:30:00+02:00 the clock skips 02:30',
      'full 2025-03-31T00:30 02:30:00+02:00',
    ]);
  });

  it('issue 6.2: notes times that a clock change merged', () => {
    expect(preview({ timeZone: 'Europe/Berlin', full: '30 2,3 * * *' }, '2025-03-30T00:00:00Z', 1)).toEqual([
      'full 2025-03-30T01:30 03:30:00+02:00 the clock skips 02:30: one run for both',
    ]);
  });

  it('issue 6.2: notes a time that comes twice, and what is done with it', () => {
    const from = '2025-10-25T12:00:00Z';
    expect(preview({ timeZone: 'Europe/Berlin', full: '30 2 * * *' }, from, 1)).toEqual([
      'full 2025-10-26T00:30 02:30:00+02:00 the clock shows this time twice: once, at the first',
    ]);
    const both = { timeZone: 'Europe/Berlin', full: '30 2 * * *', dst: { overlap: 'twice' } };
    expect(preview(both, from, 2)).toEqual([
      'full 2025-10-26T00:30 02:30:00+02:00 the clock shows this time twice: first pass',
      'full 2025-10-26T01:30 02:30:00+01:00 the clock shows this time again: second pass',
    ]);
  });

  it('rule 3.4, issue 6.1: shows what does not run, and why', () => {
    const spec = {
      full: '@weekly',
      incremental: '@daily',
      copyOnly: '@weekly',
      exclude: ['01-07'],
      window: { from: '00:00', to: '06:00', days: 'sun-wed' },
    };
    expect(preview(spec, '2025-01-05T00:00:00Z', 0)).toEqual([]);
    expect(preview(spec, '2025-01-04T00:00:00Z', 7)).toEqual([
      'full 2025-01-05T00:00 00:00:00+00:00',
      'incremental 2025-01-05T00:00 00:00:00+00:00 does not run: superseded by full',
      'copyOnly 2025-01-05T00:00 00:00:00+00:00',
      'incremental 2025-01-06T00:00 00:00:00+00:00',
      'incremental 2025-01-07T00:00 00:00:00+00:00 does not run: excluded by 01-07',
      'incremental 2025-01-08T00:00 00:00:00+00:00',
      'incremental 2025-01-09T00:00 00:00:00+00:00 does not run: outside the window sun-wed 00:00-06:00',
    ]);
  });

  it('rule 3.1: shows the chosen full cadence', () => {
    expect(
      preview({ incremental: '@daily' }, '2025-01-03T12:00:00Z', 3).map((row) => row.split(' ')[0]),
    ).toEqual(['incremental', 'full', 'incremental']);
  });
});
