import { describe, expect, it } from '@jest/globals';
import type { AnyDomainEvent, Cadence, Specification } from '@catena/events';
import { bruteForce, wallTable, type WallTable } from '../testing/brute-force.ts';
import { at, liveSchedule, withFull } from '../testing/schedule-history.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import type { LiveSchedule } from './live-schedule.ts';
import { evolveSchedule, initialSchedule, type ScheduleState } from './schedule-state.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const LONG = process.env['CATENA_TEST_LONG'] === '1';
const created = '2024-12-31T12:00:00.000Z';
const start = Date.parse(created);
const days = LONG ? 366 : 40;
/** The sample lies where the clocks of the three zones change. */
const first = LONG ? start : Date.parse('2025-03-20T12:00:00.000Z');

/** Twenty mixed schedules over three zones: full, incremental, copy-only. */
const crons: [full: string, incremental: string, copyOnly: string][] = [
  ['0 0 * * 0', '0 0 * * *', '0 3 1 * *'],
  ['30 2 * * 0', '30 2 * * *', '0 3 L * *'],
  ['0 0 1 * *', '0 */6 * * *', '15 2 * * 0'],
  ['0 2 * * *', '0 * * * *', '30 2 * * 1'],
  ['15 1-3 * * *', '*/30 * * * *', '0 12 * * 5L'],
  ['0 0 * * 6#1,6#3', '0 0,12 * * *', '45 2 * * *'],
  ['0 3 * * 0,3', '30 1-4 * * *', '0 0 15 * *'],
];
const zones = ['Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe'];
const schedules = zones.flatMap((timeZone) =>
  crons.map(([full, incremental, copyOnly]) => ({ timeZone, full, incremental, copyOnly })),
);

const tables = new Map<string, WallTable>();
const margin = 26 * 60;

/** What the independent calculation says, in the span that is simulated. */
function expected(timeZone: string, cron: string): number[] {
  const from = first - margin * MINUTE;
  const table = tables.get(timeZone) ?? wallTable(timeZone, from, days * 1440 + 2 * margin);
  tables.set(timeZone, table);
  return bruteForce(cron, table, margin).filter((instant) => instant > first);
}

/** Looks at a schedule ten times a day, its state folded anew from the log each time, and whenever it wants. */
function simulate(live: LiveSchedule): AnyDomainEvent[] {
  const log: { time: string; event: AnyDomainEvent }[] = [];
  const end = first + days * DAY;
  const reload = (): ScheduleState =>
    log.reduce((state, { time, event }) => evolveSchedule(state, at(time, event)), initialSchedule);
  let state = initialSchedule;
  let look = first;
  for (let now = first; now < end;) {
    const due = nextDueInstant(state, live, withFull);
    const next = due === undefined ? Infinity : Date.parse(due);
    const isReload = look <= next;
    now = Math.max(now, Math.min(look, next));
    if (isReload) {
      look += DAY / 10;
      const reloaded = reload();
      if (JSON.stringify(reloaded) !== JSON.stringify(state)) expect(reloaded).toEqual(state);
      state = reloaded;
    }
    if (now >= end) break;
    const time = new Date(now).toISOString();
    for (const event of decideTick(state, live, withFull, time)) {
      log.push({ time, event });
      state = evolveSchedule(state, at(time, event));
    }
  }
  return log.map(({ event }) => event);
}

function firedOf(events: readonly AnyDomainEvent[], cadence: Cadence): number[] {
  return events.flatMap((event) =>
    event.type === 'schedule.fired' && event.data.cadence === cadence ? [Date.parse(event.data.nominal)] : [],
  );
}

describe(`${days} days of ${schedules.length} schedules in three zones, reloaded from the log ten times a day`, () => {
  it.each(LONG ? schedules : schedules.filter((_, index) => index % 3 === 0))(
    'rules 3.3, 3.4, 3.8: $timeZone full "$full", incremental "$incremental", copy-only "$copyOnly"',
    (schedule) => {
      const spec: Specification = { source: 'docs', repository: 'vault', firstRun: 'scheduled', ...schedule };
      const events = simulate(liveSchedule([new Date(first).toISOString(), spec]));
      const fulls = expected(schedule.timeZone, schedule.full);
      const isFull = new Set(fulls);
      const incrementals = expected(schedule.timeZone, schedule.incremental).filter(
        (instant) => !isFull.has(instant),
      );
      expect(firedOf(events, 'full')).toEqual(fulls);
      expect(firedOf(events, 'incremental')).toEqual(incrementals);
      expect(firedOf(events, 'copyOnly')).toEqual(expected(schedule.timeZone, schedule.copyOnly));
      const runs = events
        .filter(({ type }) => type === 'run.requested')
        .map(({ aggregateId }) => aggregateId);
      expect(new Set(runs).size).toBe(runs.length);
    },
    1_800_000,
  );
});

describe('downtime', () => {
  const spans: [string, number][] = [
    ['minutes', 20 * MINUTE],
    ['days', 5 * DAY],
    ['a year', 365 * DAY],
  ];
  const policies = ['latest', 'all', 'none'] as const;
  const rows = spans.flatMap(([name, span]) => policies.map((catchUp) => [name, catchUp, span] as const));
  it.each(rows)(
    'rule 3.5: of %s with catchUp %s accounts for every time, and fires at most one of each',
    (_, catchUp, span) => {
      const spec = {
        source: 'docs',
        repository: 'vault',
        firstRun: 'scheduled',
        full: '0 0 * * 0',
        incremental: '*/5 * * * *',
        catchUp,
      };
      const live = liveSchedule([created, spec]);
      const events = decideTick(
        initialSchedule,
        live,
        withFull,
        new Date(start + span + 2 * MINUTE).toISOString(),
      );
      const counted = events.map((event) => {
        if (event.type === 'schedule.fired') return 1;
        return event.type === 'schedule.skipped' ? (event.data.missed ?? 1) : 0;
      });
      const weeks = Math.floor((span + 12 * 60 * MINUTE + 2 * DAY) / (7 * DAY));
      expect(counted.reduce<number>((sum, count) => sum + count, 0)).toBe(span / (5 * MINUTE) + weeks);
      const runs = events.filter(({ type }) => type === 'run.requested');
      expect(runs).toHaveLength(catchUp === 'none' ? 0 : 1);
    },
  );
});
