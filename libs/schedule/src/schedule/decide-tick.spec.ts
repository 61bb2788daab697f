import { describe, expect, it } from '@jest/globals';
import { scheduledRunId, type Specification } from '@catena/events';
import { after, inShort, liveSchedule, noFull, withFull } from '../testing/schedule-history.ts';
import type { CollectionKnowledge } from './collection-knowledge.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import { initialSchedule, type ScheduleState } from './schedule-state.ts';

const target = { source: 'docs', repository: 'vault' };
/** A Wednesday. */
const created = '2025-01-01T09:30:00.000Z';

interface Row {
  readonly rule: string;
  readonly spec: Specification;
  readonly knowledge?: CollectionKnowledge;
  readonly state?: ScheduleState;
  readonly now: string;
  readonly then: readonly string[];
}

const weekly = { ...target, full: '@weekly', differential: '@daily', incremental: '@hourly' };
const failed: CollectionKnowledge = { usableFull: false, firstFull: 'failed' };
const pending: CollectionKnowledge = { usableFull: false, firstFull: 'pending' };
const damaged: CollectionKnowledge = { usableFull: false, firstFull: 'completed' };

function decided(full: string, differential = full, incremental = full): ScheduleState {
  return { ...initialSchedule, decided: { full, differential, incremental } };
}

const rows: Row[] = [
  {
    rule: '3.2 firstRun defaults to now when there is no usable full',
    spec: weekly,
    knowledge: noFull,
    now: '2025-01-01T09:30:00.100Z',
    then: ['full fired firstRun 2025-01-01T09:30', 'run of full'],
  },
  {
    rule: '3.2 firstRun defaults to scheduled when there is a usable full',
    spec: weekly,
    now: '2025-01-01T09:59:59.999Z',
    then: [],
  },
  {
    rule: '3.2 firstRun now fires although there is a usable full',
    spec: { ...weekly, firstRun: 'now' },
    now: '2025-01-01T09:30:01.000Z',
    then: ['full fired firstRun 2025-01-01T09:30', 'run of full'],
  },
  {
    rule: '3.2 firstRun by default waits for a full that somebody asked for already',
    spec: weekly,
    knowledge: pending,
    now: '2025-01-01T09:30:01.000Z',
    then: [],
  },
  {
    rule: '3.2 firstRun scheduled waits for its time, and dependents wait visibly',
    spec: { ...weekly, firstRun: 'scheduled' },
    knowledge: noFull,
    now: '2025-01-01T10:00:00.000Z',
    then: ['incremental skipped waitingForFull 2025-01-01T10:00'],
  },
  {
    rule: '3.2 firstRun at an instant waits for it, with the zone it has',
    spec: { ...weekly, firstRun: '2025-01-02T12:15:00+02:00' },
    knowledge: noFull,
    state: decided('2024-01-01T00:00:00.000Z', created, '2025-01-02T10:00:00.000Z'),
    now: '2025-01-02T10:15:00.000Z',
    then: [
      'full fired firstRun 2025-01-02T10:15',
      'differential skipped superseded 2025-01-02T00:00 by full',
      'run of full',
    ],
  },
  {
    rule: '3.2 firstRun at a past instant is now',
    spec: { ...weekly, firstRun: '2020-01-01T00:00:00Z' },
    now: '2025-01-01T09:30:01.000Z',
    then: ['full fired firstRun 2025-01-01T09:30', 'run of full'],
  },
  {
    rule: '3.2 full cadences before the first instant do not fire',
    spec: { ...target, full: '@daily', firstRun: '2025-01-09T05:00:00Z' },
    now: '2025-01-08T23:00:00.000Z',
    then: [],
  },
  {
    rule: '3.2 dependents wait while the first full runs',
    spec: weekly,
    knowledge: pending,
    state: decided(created),
    now: '2025-01-01T10:00:00.000Z',
    then: ['incremental skipped waitingForFull 2025-01-01T10:00'],
  },
  {
    rule: '1.4 a log waits for the full that begins its chain, also when that failed',
    spec: { ...weekly, log: '0 10 * * *' },
    knowledge: failed,
    state: decided(created),
    now: '2025-01-01T10:00:00.000Z',
    then: [
      'incremental fired due 2025-01-01T10:00',
      'log skipped waitingForFull 2025-01-01T10:00',
      'run of incremental',
    ],
  },
  {
    rule: '1.6 dependents no longer wait when the first full failed for good',
    spec: weekly,
    knowledge: failed,
    state: decided(created),
    now: '2025-01-01T10:00:00.000Z',
    then: ['incremental fired due 2025-01-01T10:00', 'run of incremental'],
  },
  {
    rule: '1.6 dependents do not wait when the full was lost later',
    spec: weekly,
    knowledge: damaged,
    state: decided(created),
    now: '2025-01-01T10:00:00.000Z',
    then: ['incremental fired due 2025-01-01T10:00', 'run of incremental'],
  },
  {
    rule: '3.4 of coinciding cadences only the highest fires: full',
    spec: weekly,
    state: decided('2025-01-04T23:00:00.000Z'),
    now: '2025-01-05T00:00:00.000Z',
    then: [
      'full fired due 2025-01-05T00:00',
      'differential skipped superseded 2025-01-05T00:00 by full',
      'incremental skipped superseded 2025-01-05T00:00 by full',
      'run of full',
    ],
  },
  {
    rule: '3.4 of coinciding cadences only the highest fires: differential',
    spec: weekly,
    state: decided('2025-01-02T23:00:00.000Z'),
    now: '2025-01-03T00:00:00.000Z',
    then: [
      'differential fired due 2025-01-03T00:00',
      'incremental skipped superseded 2025-01-03T00:00 by differential',
      'run of differential',
    ],
  },
  {
    rule: '3.4 copy-only fires on its own',
    spec: { ...weekly, copyOnly: '@daily' },
    state: { ...decided('2025-01-02T23:00:00.000Z') },
    now: '2025-01-03T00:00:00.000Z',
    then: [
      'differential fired due 2025-01-03T00:00',
      'incremental skipped superseded 2025-01-03T00:00 by differential',
      'copyOnly skipped missed 2025-01-02T00:00',
      'copyOnly fired catchUp 2025-01-03T00:00',
      'run of differential',
      'run of copy-only full',
    ],
  },
  {
    rule: '3.4 a copy-only cadence needs no full and waits for none',
    spec: { ...target, copyOnly: '@hourly' },
    knowledge: noFull,
    now: '2025-01-01T10:00:00.000Z',
    then: ['copyOnly fired due 2025-01-01T10:00', 'run of copy-only full'],
  },
  {
    rule: '3.5 missed times are one run of the latest, and one event for the others',
    spec: { ...target, full: '@hourly' },
    state: decided('2025-01-01T10:00:00.000Z'),
    now: '2025-01-02T10:20:00.000Z',
    then: [
      'full skipped missed 2025-01-01T11:00..2025-01-02T09:00 (23)',
      'full fired catchUp 2025-01-02T10:00',
      'run of full',
    ],
  },
  {
    rule: '3.5 one missed time is caught up',
    spec: { ...target, full: '@daily' },
    state: decided('2025-01-01T10:00:00.000Z'),
    now: '2025-01-02T10:20:00.000Z',
    then: ['full fired catchUp 2025-01-02T00:00', 'run of full'],
  },
  {
    rule: '3.5 seconds late is due, not missed',
    spec: { ...target, full: '@daily' },
    state: decided('2025-01-01T10:00:00.000Z'),
    now: '2025-01-02T00:00:59.999Z',
    then: ['full fired due 2025-01-02T00:00', 'run of full'],
  },
  {
    rule: '3.5 after downtime the data cadences together are one run of the highest type',
    spec: weekly,
    state: decided('2025-01-03T10:00:00.000Z'),
    now: '2025-01-06T10:30:00.000Z',
    then: [
      'full fired catchUp 2025-01-05T00:00',
      'differential skipped missed 2025-01-04T00:00..2025-01-05T00:00 (2)',
      'differential skipped superseded 2025-01-06T00:00 by full',
      'incremental skipped missed 2025-01-03T11:00..2025-01-06T09:00 (71)',
      'incremental skipped superseded 2025-01-06T10:00 by full',
      'run of full',
    ],
  },
  {
    rule: '3.5 dependents that waited through downtime leave one event',
    spec: { ...weekly, firstRun: 'scheduled' },
    knowledge: noFull,
    now: '2025-01-01T12:30:00.000Z',
    then: ['incremental skipped waitingForFull 2025-01-01T10:00..2025-01-01T12:00 (3)'],
  },
  {
    rule: '3.1 an only incremental up to hourly has a daily full',
    spec: { ...target, incremental: '@hourly' },
    state: decided('2025-01-01T23:00:00.000Z'),
    now: '2025-01-02T00:00:00.000Z',
    then: [
      'full fired due 2025-01-02T00:00',
      'incremental skipped superseded 2025-01-02T00:00 by full',
      'run of full',
    ],
  },
  {
    rule: '3.1 an only incremental up to daily has a weekly full',
    spec: { ...target, incremental: '0 3 * * *' },
    state: decided('2025-01-04T10:00:00.000Z'),
    now: '2025-01-05T00:00:00.000Z',
    then: ['full fired due 2025-01-05T00:00', 'run of full'],
  },
  {
    rule: '3.1 an only incremental that comes less often makes every run a full',
    spec: { ...target, incremental: '0 3 * * 1,4' },
    state: decided('2025-01-05T10:00:00.000Z'),
    now: '2025-01-06T03:00:00.000Z',
    then: ['full fired due 2025-01-06T03:00', 'run of full'],
  },
  {
    rule: '3.1 a dependent as long as its full is superseded each time',
    spec: { ...target, full: '@daily', incremental: '0 0 * * *' },
    state: decided('2025-01-01T10:00:00.000Z'),
    now: '2025-01-02T00:00:00.000Z',
    then: [
      'full fired due 2025-01-02T00:00',
      'incremental skipped superseded 2025-01-02T00:00 by full',
      'run of full',
    ],
  },
  {
    rule: '3.3 times are in the zone of the schedule',
    spec: { ...target, full: '30 2 * * *', timeZone: 'Europe/Berlin' },
    state: decided('2025-03-29T12:00:00.000Z'),
    now: '2025-03-30T01:30:00.000Z',
    then: ['full fired due 2025-03-30T01:30', 'run of full'],
  },
  {
    rule: '3.8 a clock that went back fires nothing twice',
    spec: { ...target, full: '@hourly' },
    state: decided('2025-01-03T00:00:00.000Z'),
    now: '2025-01-02T10:00:00.000Z',
    then: [],
  },
  {
    rule: '3.9 a paused schedule fires nothing',
    spec: weekly,
    knowledge: noFull,
    state: { ...initialSchedule, paused: { since: created } },
    now: '2025-01-09T10:00:00.000Z',
    then: [],
  },
];

describe('a tick of a schedule', () => {
  it.each(rows)('rule $rule', ({ spec, knowledge = withFull, state = initialSchedule, now, then }) => {
    const live = liveSchedule([created, spec]);
    const events = decideTick(state, live, knowledge, now);
    expect(inShort(events)).toEqual(then);

    const due = nextDueInstant(state, live, knowledge);
    expect(due !== undefined && due <= now).toBe(events.length > 0);

    const again = decideTick(after(now, events, state), live, knowledge, now);
    expect(again).toEqual([]);
  });

  it('rule 3.8: the run is named by schedule, cadence and nominal instant, whoever ticks when', () => {
    const live = liveSchedule([created, weekly]);
    const state = decided('2025-01-04T23:00:00.000Z');
    const [early, late] = ['2025-01-05T00:00:00.000Z', '2025-01-05T00:00:40.000Z'].map((now) =>
      decideTick(state, live, withFull, now).filter(({ type }) => type === 'run.requested'),
    );
    expect(early).toEqual(late);
    expect(early).toEqual([
      {
        type: 'run.requested',
        aggregateId: scheduledRunId('sch-1', 'full', '2025-01-05T00:00:00.000Z'),
        data: {
          request: { kind: 'backup', ...target, type: 'full', copyOnly: false, whenNoFull: 'full' },
          schedule: 'nightly',
          scheduleUid: 'sch-1',
          cadence: 'full',
          nominal: '2025-01-05T00:00:00.000Z',
        },
      },
    ]);
  });

  it('rule 3.8: the first run has the same name for every scheduler', () => {
    const live = liveSchedule([created, weekly]);
    const ids = ['2025-01-01T09:30:00.002Z', '2025-01-01T09:30:07.000Z'].map(
      (now) => decideTick(initialSchedule, live, noFull, now).at(-1)?.aggregateId,
    );
    expect(ids).toEqual(Array(2).fill(scheduledRunId('sch-1', 'full', created)));
  });

  it('rule 1.2: copyOnly on a differential goes along with the request, where it is ignored by name', () => {
    const live = liveSchedule([
      created,
      { ...target, full: '@weekly', differential: { cron: '@daily', copyOnly: true } },
    ]);
    const events = decideTick(
      decided('2025-01-01T10:00:00.000Z'),
      live,
      withFull,
      '2025-01-02T00:00:00.000Z',
    );
    expect(events.at(-1)).toMatchObject({ data: { request: { type: 'differential', copyOnly: true } } });
  });

  it('rule 1.6: whenNoFull goes along with the request', () => {
    const live = liveSchedule([created, { ...weekly, whenNoFull: 'fail' }]);
    const events = decideTick(decided(created), live, withFull, '2025-01-01T10:00:00.000Z');
    expect(events.at(-1)).toMatchObject({ data: { request: { whenNoFull: 'fail' } } });
  });
});

describe('a schedule that changes', () => {
  const hourly = { ...target, full: '@daily', incremental: '@hourly' };
  const state = decided('2025-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z', '2025-01-01T12:00:00.000Z');
  const changedAt = '2025-01-01T12:34:00.000Z';
  const next = (spec: Specification) =>
    nextDueInstant(state, liveSchedule(['2024-12-01T00:00:00.000Z', hourly], [changedAt, spec]), withFull);

  it('rule 3.9: a changed cadence moves the next run and makes nothing of the past due', () => {
    expect(next({ ...hourly, incremental: '*/20 * * * *' })).toBe('2025-01-01T12:40:00.000Z');
    expect(next({ ...hourly, incremental: '0 */6 * * *' })).toBe('2025-01-01T18:00:00.000Z');
  });

  it('rule 3.9: a changed zone moves the next run', () => {
    expect(next({ ...hourly, incremental: '0 13 * * *', timeZone: 'Asia/Kolkata' })).toBe(
      '2025-01-01T18:30:00.000Z',
    );
  });

  it('rule 3.9: an unrelated change moves nothing', () => {
    const before = nextDueInstant(state, liveSchedule(['2024-12-01T00:00:00.000Z', hourly]), withFull);
    expect(before).toBe('2025-01-01T13:00:00.000Z');
    expect(next({ ...hourly, retention: { days: 7 } })).toBe(before);
    expect(next({ ...hourly, copyOnly: '@yearly' })).toBe(before);
    expect(next({ ...hourly, incremental: { cron: '@hourly' } })).toBe(before);
    expect(next({ ...hourly, full: '@weekly' })).toBe(before);
  });

  it('rule 3.9: an unrelated change leaves a missed time missed', () => {
    const live = liveSchedule(
      ['2024-12-01T00:00:00.000Z', hourly],
      ['2025-01-01T14:10:00.000Z', { ...hourly, retention: { days: 7 } }],
    );
    expect(inShort(decideTick(state, live, withFull, '2025-01-01T14:20:00.000Z'))).toEqual([
      'incremental skipped missed 2025-01-01T13:00',
      'incremental fired catchUp 2025-01-01T14:00',
      'run of incremental',
    ]);
  });

  it('rule 3.2: a schedule that turns to another repository owes a first full again', () => {
    const live = liveSchedule(
      ['2024-12-01T00:00:00.000Z', hourly],
      [changedAt, { ...hourly, repository: 'elsewhere' }],
    );
    expect(nextDueInstant(state, live, noFull)).toBe(changedAt);
    expect(inShort(decideTick(state, live, noFull, '2025-01-01T12:34:01.000Z'))).toEqual([
      'full fired firstRun 2025-01-01T12:34',
      'run of full',
    ]);
  });

  it('rule 3.9: a schedule that is dropped and made again starts anew', () => {
    const first = liveSchedule(['2024-12-01T00:00:00.000Z', hourly]);
    const again = liveSchedule([changedAt, hourly]);
    expect(first.createdAt).not.toBe(again.createdAt);
    expect(nextDueInstant(initialSchedule, again, noFull)).toBe(changedAt);
  });
});
