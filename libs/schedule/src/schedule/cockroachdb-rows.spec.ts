import { describe, expect, it } from '@jest/globals';
import { domainEvent, type AnyDomainEvent, type Specification } from '@catena/events';
import { effectiveCadences } from '../cadence/effective-cadences.ts';
import { applyDefinition, deleteDefinition } from '../definition-history/decide-definition.ts';
import { evolveDefinition, type DefinitionState } from '../definition-history/definition-state.ts';
import type { Definition } from '../definitions/parse-definitions.ts';
import { docsAndVault, parseText, scheduleText } from '../testing/definition-texts.ts';
import { after, at, inShort, liveSchedule, noFull, withFull } from '../testing/schedule-history.ts';
import { pauseSchedule, resumeSchedule, runScheduleNow, SchedulePausedError } from './decide-command.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import { RunsSeen } from './runs-seen.ts';
import { scheduleStatus } from './schedule-status.ts';
import { initialSchedule } from './schedule-state.ts';

/**
 * The rows of the reference's table of backup schedules (F31 to F56) as they are here. Rules of section 3 win where they
 * disagree. Rows that are not here:
 *
 * F38, F54 (columns), F55: test/scenarios/schedules.spec.ts, with the real command line.
 * F46 (a guard against another cluster's schedules): schedules are in the log of their installation and come with no
 *   restore; a repository knows its owner instead.
 * F47 (protected timestamps): the source holds nothing for a schedule; what a source may hold is rule 3.12's, with its driver.
 * F56 (owners, metrics): definitions have no owners; metrics are not the scheduler's yet.
 */

/** A Wednesday. */
const created = '2025-01-01T09:30:00.000Z';
const base = { source: 'docs', repository: 'vault' };
const daily: Specification = { ...base, full: '@weekly', incremental: '@daily', firstRun: 'now' };

const accepted = (spec: string) => parseText(scheduleText(spec), docsAndVault).ok;
const cadencesOf = (given: Parameters<typeof effectiveCadences>[0]) =>
  effectiveCadences(given).map(({ cadence, rhythm }) => `${cadence} ${rhythm}`);
const tick = (spec: Specification, now: string, knowledge = withFull, state = initialSchedule) =>
  inShort(decideTick(state, liveSchedule([created, spec]), knowledge, now));

function definition(spec: Specification): Definition {
  return { kind: 'Schedule', name: 'nightly', labels: {}, spec, origin: 'a.yaml' };
}

function applied(events: readonly AnyDomainEvent[], before?: DefinitionState): DefinitionState | undefined {
  return events.reduce((state, event) => evolveDefinition(state, at(created, event)), before);
}

describe('the reference, row by row', () => {
  it('F31: a cadence is required; five fields or a name; UTC unless said otherwise; bad text is refused', () => {
    expect(accepted('firstRun: now')).toBe(false);
    expect(accepted('full: "0 2 * * *"')).toBe(true);
    expect(accepted('full: "@weekly"')).toBe(true);
    expect(accepted('full: "@fortnightly"')).toBe(false);
    expect(
      nextDueInstant(
        initialSchedule,
        liveSchedule([created, { ...base, full: '@daily', firstRun: 'scheduled' }]),
        withFull,
      ),
    ).toBe('2025-01-02T00:00:00.000Z');
  });

  it('F32: what is there already is not made again', () => {
    const first = applyDefinition(undefined, definition(daily), 'uid-1');
    expect(first.action).toBe('created');
    expect(applyDefinition(applied(first.events), definition(daily), 'uid-2')).toMatchObject({
      ...{ action: 'unchanged', uid: 'uid-1', events: [] },
    });
  });

  it('F33: fulls only, when only a full cadence is given', () => {
    expect(cadencesOf({ full: { rhythm: '@daily' } })).toEqual(['full @daily']);
  });

  it('F34: an incremental period longer than the full’s is refused, equal is allowed; the period of a cron does not vary with the date', () => {
    expect(accepted('full: "@daily"\nincremental: "@weekly"')).toBe(false);
    expect(accepted('full: "@daily"\nincremental: "@daily"')).toBe(true);
    expect(accepted('full: "@monthly"\nincremental: "0 0 1 * *"')).toBe(true);
  });

  it('F35: without a full it is chosen: up to an hour daily, up to a day weekly, longer makes every run a full', () => {
    expect(cadencesOf({ incremental: { rhythm: '@hourly' } })).toEqual([
      'full @daily',
      'incremental @hourly',
    ]);
    expect(cadencesOf({ incremental: { rhythm: '@daily' } })).toEqual(['full @weekly', 'incremental @daily']);
    expect(cadencesOf({ incremental: { rhythm: '@weekly' } })).toEqual(['full @weekly']);
  });

  it('F36: first_run moves the full alone; rule 3.2: without it the first full is at once, when there is none', () => {
    const at4 = { ...daily, firstRun: '2025-01-01T14:00:00Z' };
    expect(tick(at4, '2025-01-01T13:59:59.000Z', noFull)).toEqual([]);
    expect(tick(at4, '2025-01-01T14:00:00.000Z', noFull)).toEqual([
      'full fired firstRun 2025-01-01T14:00',
      'run of full',
    ]);
    const unsaid = { ...base, full: '@weekly', incremental: '@daily' };
    expect(tick(unsaid, '2025-01-01T09:30:01.000Z', noFull)[0]).toBe('full fired firstRun 2025-01-01T09:30');
    expect(tick(unsaid, '2025-01-01T09:30:01.000Z', withFull)).toEqual([]);
    expect(tick({ ...unsaid, firstRun: 'scheduled' }, '2025-01-01T09:30:01.000Z', noFull)).toEqual([]);
  });

  it('F37: the incremental waits for the initial backup, visibly, and goes on at its next time after it', () => {
    const live = liveSchedule([created, daily]);
    const state = after(created, decideTick(initialSchedule, live, noFull, created));
    const pending = { usableFull: false, firstFull: 'pending' } as const;
    expect(scheduleStatus(state, live, pending, { failures: 0 })).toMatchObject({
      ...{ status: 'waitingForFull', state: 'waiting for initial backup' },
    });
    const midnight = '2025-01-02T00:00:00.000Z';
    expect(inShort(decideTick(state, live, pending, midnight))).toEqual([
      'incremental skipped waitingForFull 2025-01-02T00:00',
    ]);
    expect(inShort(decideTick(state, live, withFull, midnight))).toContain('run of incremental');
  });

  it('F39, 3.10: what names an unknown source or repository is refused when it is defined, and nothing is there', () => {
    expect(parseText(scheduleText('full: "@daily"')).ok).toBe(false);
  });

  it('F40: a collection that has backups is gone on with: no first full is owed', () => {
    expect(tick({ ...base, full: '@weekly' }, '2025-01-01T09:30:01.000Z', withFull)).toEqual([]);
  });

  it('F41: of missed times one late run is made; the others leave one event', () => {
    expect(tick({ ...base, full: '@daily', firstRun: 'scheduled' }, '2025-01-05T07:00:00.000Z')).toEqual([
      'full skipped missed 2025-01-02T00:00..2025-01-04T00:00 (3)',
      'full fired catchUp 2025-01-05T00:00',
      'run of full',
    ]);
  });

  it('F42: a run keeps the time it stands for beside the time it began, and says which one the backup is of', () => {
    const [, fired] = decideTick(
      initialSchedule,
      liveSchedule([created, { ...base, full: '@daily', firstRun: 'scheduled' }]),
      withFull,
      '2025-01-05T07:00:00.000Z',
    );
    expect(fired?.data).toMatchObject({
      ...{ nominal: '2025-01-05T00:00:00.000Z', actual: '2025-01-05T07:00:00.000Z', asOf: 'now' },
    });
  });

  it.each([
    ['retry', true],
    ['reschedule', true],
    ['pause', true],
    ['ignore', false],
  ])('F43: on_execution_failure %s is known: %s', (policy, isKnown) => {
    expect(accepted(`full: "@daily"\nonExecutionFailure: ${policy}`)).toBe(isKnown);
  });

  it('F43: pause pauses with the run that failed; a cancelled one does not count as failed (rule 3.7)', () => {
    const failures = { count: 1, run: 'run-x', at: created };
    const spec = { ...base, full: '@daily', firstRun: 'scheduled', onExecutionFailure: 'pause' };
    expect(tick(spec, '2025-01-01T10:00:00.000Z', { ...withFull, failures })).toEqual([
      'paused: run-x failed',
    ]);
    const runs = new RunsSeen();
    const requested = domainEvent('run.requested', 'run-x', {
      ...{ schedule: 'nightly', scheduleUid: 'sch-1', cadence: 'full' },
      request: { kind: 'backup', ...base, type: 'full', copyOnly: false },
    });
    for (const event of [requested, domainEvent('run.cancelled', 'run-x', { attempt: 1 })])
      runs.observe(at(created, event));
    expect(runs.outcomesOf('sch-1').failures).toBe(0);
  });

  it('F44: data runs of one collection never overlap, whatever is asked for', () => {
    expect(accepted('full: "@daily"\nonPreviousRunning: wait')).toBe(true);
    expect(accepted('full: "@daily"\nonPreviousRunning: skip')).toBe(true);
    expect(accepted('full: "@daily"\nonPreviousRunning: start')).toBe(false);
    expect(accepted('full: "@daily"\nincremental: {cron: "@hourly", onPreviousRunning: start}')).toBe(false);
    expect(accepted('copyOnly: {cron: "@daily", onPreviousRunning: start}')).toBe(true);
  });

  it('F45: looked at exactly when it is due, not once a minute; jitter is its own and the same each time', () => {
    const live = liveSchedule([created, { ...base, full: '7 10 * * *', firstRun: 'scheduled' }]);
    expect(nextDueInstant(initialSchedule, live, withFull)).toBe('2025-01-01T10:07:00.000Z');
    const jittered = liveSchedule([
      created,
      { ...base, full: '7 10 * * *', firstRun: 'scheduled', jitter: '10m' },
    ]);
    const due = nextDueInstant(initialSchedule, jittered, withFull);
    expect(due).toBe(nextDueInstant(initialSchedule, jittered, withFull));
    expect(due! >= '2025-01-01T10:07:00.000Z' && due! < '2025-01-01T10:17:00.000Z').toBe(true);
  });

  it('F48: an incremental that is due while a full runs waits for it and keeps its time', () => {
    const state = after(
      created,
      decideTick(initialSchedule, liveSchedule([created, daily]), noFull, created),
    );
    expect(tick(daily, '2025-01-02T00:00:00.000Z', { ...withFull, openData: 'run-full' }, state)).toEqual([
      'incremental delayed overlap 2025-01-02T00:00 by run-full',
    ]);
  });

  it('F49: paused it has no next run; resumed it has the next time after now; resuming what is not paused changes nothing', () => {
    const live = liveSchedule([created, { ...daily, firstRun: 'scheduled' }]);
    const paused = after(created, pauseSchedule(initialSchedule, live, 'move'));
    expect(nextDueInstant(paused, live, withFull)).toBeUndefined();
    const now = '2025-01-03T08:00:00.000Z';
    const resumed = after(now, resumeSchedule(paused, live, withFull, now), paused);
    expect(nextDueInstant(resumed, live, withFull)).toBe('2025-01-04T00:00:00.000Z');
    expect(resumeSchedule(resumed, live, withFull, now)).toEqual([]);
  });

  it('F50: dropped with both its cadences; a run that is under way is left alone, and what comes again is new', () => {
    const first = applied(applyDefinition(undefined, definition(daily), 'uid-1').events);
    const gone = deleteDefinition(first, []);
    expect(gone.map(({ type }) => type)).toEqual(['definition.deleted']);
    const again = applyDefinition(applied(gone, first), definition(daily), 'uid-2');
    expect(again).toMatchObject({ action: 'created', uid: 'uid-2' });
  });

  it('F51: a changed cadence moves the next run, the same change again does nothing, a paused schedule stays paused', () => {
    const changed = { ...daily, firstRun: 'scheduled', incremental: '@hourly' };
    const now = '2025-01-01T12:10:00.000Z';
    const live = liveSchedule([created, { ...daily, firstRun: 'scheduled' }], [now, changed]);
    expect(nextDueInstant(initialSchedule, live, withFull)).toBe('2025-01-01T13:00:00.000Z');
    const first = applied(applyDefinition(undefined, definition(changed), 'uid-1').events);
    expect(applyDefinition(first, definition({ ...changed }), 'uid-2').events).toEqual([]);
    const paused = after(created, pauseSchedule(initialSchedule, live, undefined));
    expect(decideTick(paused, live, withFull, '2025-01-01T13:00:00.000Z')).toEqual([]);
  });

  it('F51: FULL BACKUP ALWAYS takes the incrementals away, a full cadence brings a pair', () => {
    expect(cadencesOf({ full: { rhythm: '@daily' } })).toEqual(['full @daily']);
    expect(cadencesOf({ full: { rhythm: '@weekly' }, incremental: { rhythm: '@daily' } })).toEqual([
      'full @weekly',
      'incremental @daily',
    ]);
  });

  it('F52: turned to another place it takes a full there at once, and the incremental waits for it', () => {
    const now = '2025-01-01T12:10:00.000Z';
    const live = liveSchedule([created, daily], [now, { ...daily, repository: 'shelf' }]);
    const state = after(
      created,
      decideTick(initialSchedule, liveSchedule([created, daily]), noFull, created),
    );
    expect(inShort(decideTick(state, live, noFull, now))).toEqual([
      'full fired firstRun 2025-01-01T12:10',
      'run of full',
    ]);
  });

  it('F53: run now takes the incremental, or the full when asked for or alone; a paused one is refused with the remedy', () => {
    const live = liveSchedule([created, daily]);
    const now = '2025-01-01T12:00:00.000Z';
    const asked = (cadence?: 'full') =>
      inShort(runScheduleNow(initialSchedule, live, { run: 'r', cadence }, now))[1];
    expect([asked(), asked('full')]).toEqual(['run of incremental', 'run of full']);
    const paused = after(created, pauseSchedule(initialSchedule, live, undefined));
    expect(() => runScheduleNow(paused, live, { run: 'r' }, now)).toThrow(SchedulePausedError);
  });

  it('F54: the status says what the last message was until the next run is good', () => {
    const live = liveSchedule([created, { ...base, full: '@daily', firstRun: 'scheduled' }]);
    const last = { run: 'run-x', outcome: 'failed', at: created } as const;
    expect(scheduleStatus(initialSchedule, live, withFull, { failures: 1, last }).state).toBe('run-x failed');
    expect(scheduleStatus(initialSchedule, live, withFull, { failures: 0, last }).state).toBe('');
  });
});
