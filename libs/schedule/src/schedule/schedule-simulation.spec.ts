import { describe, expect, it } from '@jest/globals';
import type { AnyDomainEvent, Cadence, Specification } from '@catena/events';
import fc from 'fast-check';
import { instantsAfter } from '../calendar/recurrence.ts';
import { after, liveSchedule, withFull } from '../testing/schedule-history.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import { initialSchedule } from './schedule-state.ts';

const MINUTE = 60_000;
const created = '2025-03-20T10:10:10.000Z';
const iso = (at: number) => new Date(at).toISOString();

const full = fc.constantFrom('@daily', '@weekly', '30 2 * * *', '0 0 1,15 * *');
const dependent = fc.constantFrom('@hourly', '0 */6 * * *', '30 2 * * *', '15 1-3 * * *');
const anySpec = fc.record({
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe'),
  full,
  incremental: dependent,
  copyOnly: fc.constantFrom('@weekly', '0 5 * * *'),
});
/** Minutes until the next look at the clock; below zero: another scheduler whose clock is behind. */
const anyTicks = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 90 }) },
    { weight: 2, arbitrary: fc.integer({ min: -120, max: -1 }) },
    { weight: 1, arbitrary: fc.integer({ min: 600, max: 9000 }) },
  ),
  { minLength: 5, maxLength: 60 },
);

/** Nominal instants that events account for, by cadence: fired ones, and how many skips stand for. */
function accounted(events: readonly AnyDomainEvent[], cadence: Cadence): { fired: string[]; total: number } {
  const fired: string[] = [];
  let total = 0;
  for (const event of events) {
    if (event.type === 'schedule.fired' && event.data.cadence === cadence) {
      fired.push(event.data.nominal);
      total += 1;
    } else if (event.type === 'schedule.skipped' && event.data.cadence === cadence) {
      total += event.data.missed ?? 1;
    }
  }
  return { fired, total };
}

describe('a schedule over weeks, its state folded anew from the events at every tick', () => {
  it('rules 3.5, 3.8: every due time is accounted for once, whatever the clocks do', () => {
    fc.assert(
      fc.property(anySpec, anyTicks, (cadences, ticks) => {
        const live = liveSchedule([created, { source: 'docs', repository: 'vault', ...cadences }]);
        const log: AnyDomainEvent[] = [];
        let clock = Date.parse(created);
        let latest = clock;
        for (const minutes of ticks) {
          clock = minutes > 0 ? Math.max(clock, latest) + minutes * MINUTE : latest + minutes * MINUTE;
          const now = iso(Math.max(clock, Date.parse(created)));
          log.push(...decideTick(after(now, log), live, withFull, now));
          latest = Math.max(latest, clock);
        }
        const runs = log.filter(({ type }) => type === 'run.requested').map(({ aggregateId }) => aggregateId);
        expect(new Set(runs).size).toBe(runs.length);
        for (const cadence of ['full', 'incremental', 'copyOnly'] as const) {
          const due = instantsAfter(cadences[cadence], cadences.timeZone, created, { until: iso(latest) });
          const { fired, total } = accounted(log, cadence);
          expect([cadence, total]).toEqual([cadence, due.length]);
          expect(due).toEqual(expect.arrayContaining(fired));
        }
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  it('rule 3.4: looked at when it says, it fires each instant with the highest cadence of it', () => {
    fc.assert(
      fc.property(anySpec, (cadences) => {
        const spec: Specification = { source: 'docs', repository: 'vault', ...cadences };
        const live = liveSchedule([created, spec]);
        const end = '2025-04-20T00:00:00.000Z';
        let state = initialSchedule;
        const fired: string[] = [];
        for (;;) {
          const now = nextDueInstant(state, live, withFull);
          if (now === undefined || now > end) break;
          const events = decideTick(state, live, withFull, now);
          state = after(now, events, state);
          for (const event of events) {
            if (event.type !== 'schedule.fired') continue;
            expect(event.data).toMatchObject({ nominal: now, reason: 'due' });
            fired.push(`${now} ${event.data.cadence}`);
          }
        }
        const times = (cadence: 'full' | 'incremental' | 'copyOnly') =>
          instantsAfter(cadences[cadence], cadences.timeZone, created, { until: end });
        const fulls = new Set(times('full'));
        const expected = [
          ...[...fulls].map((instant) => `${instant} full`),
          ...times('incremental').flatMap((instant) =>
            fulls.has(instant) ? [] : [`${instant} incremental`],
          ),
          ...times('copyOnly').map((instant) => `${instant} copyOnly`),
        ];
        expect(fired.toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 40, seed: 5 },
    );
  });
});
