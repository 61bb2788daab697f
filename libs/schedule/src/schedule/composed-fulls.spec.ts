import { describe, expect, it } from '@jest/globals';
import { after, at, inShort, liveSchedule, noFull, withFull } from '../testing/schedule-history.ts';
import { CollectionsSeen } from './collection-knowledge.ts';
import { decideTick } from './decide-tick.ts';
import { initialSchedule } from './schedule-state.ts';

const created = '2025-01-01T09:30:00.000Z';
const spec = {
  source: 'docs',
  repository: 'vault',
  full: { cron: '0 4 * * 0', method: 'compose' },
  incremental: '@hourly',
};
const place = { source: 'docs', repository: 'vault', collection: 'col-1' };

describe('a schedule with full: {cron, method: compose} (rule 3.1)', () => {
  const live = liveSchedule([created, spec]);

  it('asks for a full that is composed; the first one is read, because there is nothing to compose from', () => {
    const events = decideTick(initialSchedule, live, noFull, '2025-01-01T09:30:01.000Z');
    expect(inShort(events)).toEqual(['full fired firstRun 2025-01-01T09:30', 'run of compose']);
    expect(events.at(-1)?.data).toMatchObject({
      request: { kind: 'compose', source: 'docs', repository: 'vault', whenNoFull: 'full' },
      cadence: 'full',
    });
  });

  it('fires at the times of its cadence, and dependents as ever', () => {
    const state = after(created, decideTick(initialSchedule, live, withFull, created));
    const sunday = decideTick(state, live, withFull, '2025-01-05T04:00:00.000Z');
    expect(inShort(sunday)).toContain('run of compose');
    expect(inShort(sunday)).not.toContain('run of incremental');
  });

  it('method: read is what it is without', () => {
    const read = liveSchedule([created, { ...spec, full: { cron: '0 4 * * 0', method: 'read' } }]);
    const events = decideTick(initialSchedule, read, noFull, '2025-01-01T09:30:01.000Z');
    expect(inShort(events)).toContain('run of full');
  });

  it('counts as the full that dependents wait for', () => {
    const seen = new CollectionsSeen();
    const [, requested] = decideTick(initialSchedule, live, noFull, '2025-01-01T09:30:01.000Z');
    seen.observe(at(created, requested!));
    expect(seen.of(place)).toEqual({ usableFull: false, firstFull: 'pending' });
  });
});
