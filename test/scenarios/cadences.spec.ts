import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schedulerRequests, type AnyRecordedEvent, type EventType } from '@catena/events';
import { command, until, type Place } from '../platform/operator.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

let platform: TestPlatform;
let catena: CatenaCommand;
let place: Place;

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home);
  place = await platform.defineFiles({ source: 'letters', repository: 'vault' });
  platform.write(place.source, { 'a.txt': 'one\n' });
});

afterAll(() => platform[Symbol.asyncDispose]());

/** A schedule of a source of its own, so that no other schedule's backups are in its collection. */
async function schedule(name: string, spec: string): Promise<void> {
  const source = `files-of-${name}`;
  platform.write(platform.place(`sources/${source}`), { 'a.txt': `${name}\n` });
  await platform.apply(`apiVersion: catena/v1
kind: Source
metadata: {name: ${source}}
spec: {driver: files, files: {path: ${platform.place(`sources/${source}`)}}}
---
apiVersion: catena/v1
kind: Schedule
metadata: {name: ${name}}
spec: {source: ${source}, repository: vault, ${spec}}
`);
}

type Decision = Extract<AnyRecordedEvent, { type: `schedule.${string}` }>;
type Of<T extends EventType> = Extract<AnyRecordedEvent, { type: T }>;

/** Events about one schedule, in their order. */
async function decisions<T extends Decision['type']>(type: T, name: string): Promise<Of<T>[]> {
  const events = (await platform.events([type])) as Decision[];
  return events.filter(({ data }) => data.schedule === name) as Of<T>[];
}

const remove = (name: string) =>
  platform.client.ask(schedulerRequests.deleteDefinition, { ...command(), kind: 'Schedule', name });

/** A schedule whose first run lies ahead when the scheduler hears of it, however long that takes. */
async function punctual(ahead: number): Promise<{ name: string; then: string }> {
  const then = new Date(Date.now() + ahead).toISOString();
  const name = `punctual-${ahead}`;
  await schedule(name, `firstRun: ${then}, full: '@yearly'`);
  const { time } = await platform.event('definition.applied', ({ data }) => data.name === name);
  if (time < then) return { name, then };
  await remove(name);
  return punctual(ahead * 2);
}

describe('firstRun', () => {
  it('rule 3.2: now takes a full at once; dependents wait for it, visibly, and go on from it', async () => {
    await platform.stopService('mover-1');
    await schedule('eager', "firstRun: now, full: '@yearly', incremental: '* * * * * *'");
    const skipped = await platform.event('schedule.skipped', ({ data }) => data.schedule === 'eager');
    expect(skipped.data).toMatchObject({ cadence: 'incremental', reason: 'waitingForFull' });
    const fired = await decisions('schedule.fired', 'eager');
    expect(fired.map(({ data }) => [data.cadence, data.reason])).toEqual([['full', 'firstRun']]);
    expect((await catena.run('describe', 'schedule', 'eager')).out).toMatch(/waitingForFull|waiting for/i);

    await platform.startService('mover', 'mover-1');
    const incremental = await platform.event(
      'schedule.fired',
      ({ data }) => data.schedule === 'eager' && data.cadence === 'incremental',
    );
    await remove('eager');
    const full = await platform.outcome(fired[0]!.data.run);
    const dependent = await platform.outcome(incremental.data.run);
    expect([full.state, dependent.state]).toEqual(['completed', 'completed']);
    const [planned] = (await platform.historyOf(incremental.data.run)).filter(
      ({ type }) => type === 'run.planned',
    );
    expect(planned?.data).toMatchObject({
      plan: {
        type: 'incremental',
        parent: full.event.type === 'run.completed' ? full.event.data.backup : '',
      },
    });
    expect(incremental.sequence).toBeGreaterThan(full.event.sequence);
  });

  it('at a time takes it then', async () => {
    const { name, then } = await punctual(2_000);
    const fired = await platform.event('schedule.fired', ({ data }) => data.schedule === name);
    expect(fired.data).toMatchObject({ cadence: 'full', nominal: then, reason: 'firstRun' });
    expect(fired.data.actual >= then).toBe(true);
    expect((await platform.outcome(fired.data.run)).state).toBe('completed');
    await remove(name);
  });
});

describe('cadences that fall on one instant', () => {
  it('rule 3.4: only the highest fires, the others say by what they were superseded; copy-only fires on its own', async () => {
    const every = "'*/3 * * * * *'";
    await schedule(
      'crowded',
      `firstRun: scheduled, full: ${every}, differential: ${every}, incremental: ${every}, copyOnly: ${every}`,
    );
    const { nominal } = (
      await platform.event(
        'schedule.fired',
        ({ data }) => data.schedule === 'crowded' && data.cadence === 'full',
      )
    ).data;
    // The decisions about one instant are one append.
    const fired = (await decisions('schedule.fired', 'crowded')).filter(
      ({ data }) => data.nominal === nominal,
    );
    const skipped = (await decisions('schedule.skipped', 'crowded')).filter(
      ({ data }) => data.nominal === nominal,
    );
    await remove('crowded');
    expect(new Date(nominal).getUTCSeconds() % 3).toBe(0);
    expect(fired.map(({ data }) => data.cadence).sort()).toEqual(['copyOnly', 'full']);
    expect(skipped.map(({ data }) => [data.cadence, data.reason, data.by]).sort()).toEqual([
      ['differential', 'superseded', 'full'],
      ['incremental', 'superseded', 'full'],
    ]);
    for (const { data } of fired) expect((await platform.outcome(data.run)).state).toBe('completed');
  });
});

describe('a paused schedule', () => {
  it('rule 3.9: fires nothing, is refused by hand, and says what the pause has passed over', async () => {
    await schedule('resting', "firstRun: scheduled, full: '* * * * * *', onPreviousRunning: skip");
    await platform.event('schedule.fired', ({ data }) => data.schedule === 'resting');
    await catena.ask('pause', 'resting', '--reason', 'a holiday');
    const paused = await platform.event('schedule.paused', ({ data }) => data.schedule === 'resting');
    // Two due times pass, by the clock that decides about them.
    const later = Date.parse(paused.recordedAt) + 2_000;
    await until('two seconds have passed', () => Date.now() > later);
    expect(await catena.refused('run', 'resting')).toMatchObject({ code: 'schedule.paused' });
    await catena.ask('resume', 'resting');
    const [resumed] = await decisions('schedule.resumed', 'resting');
    const between = ({ sequence }: AnyRecordedEvent) =>
      sequence > paused.sequence && sequence < resumed!.sequence;
    expect((await decisions('schedule.fired', 'resting')).filter(between)).toEqual([]);
    const [passed] = (await decisions('schedule.skipped', 'resting')).filter(between);
    expect(passed?.data).toMatchObject({ cadence: 'full', reason: 'paused' });
    expect(passed?.data.missed ?? 1).toBeGreaterThanOrEqual(2);

    const next = await platform.event(
      'schedule.fired',
      ({ data, sequence }) => data.schedule === 'resting' && sequence > resumed!.sequence,
    );
    // A scheduler that was held up for more than a second has several to catch up with.
    expect(['due', 'catchUp']).toContain(next.data.reason);
    expect(next.data.nominal > resumed!.time).toBe(true);
    await remove('resting');
    expect((await platform.outcome(next.data.run)).state).toBe('completed');
  });

  it('is run by hand only when it is resumed, and its due times stay as they are', async () => {
    await schedule('by-hand', "firstRun: scheduled, full: '@yearly', incremental: '@yearly'");
    const { run } = await catena.ask<{ run: string }>('run', 'by-hand', '--cadence', 'full');
    const [fired] = await decisions('schedule.fired', 'by-hand');
    expect(fired?.data).toMatchObject({ run, cadence: 'full', reason: 'runNow' });
    const lowest = await catena.ask<{ run: string; event: { backup: string } }>('run', 'by-hand');
    const backup = (await platform.backups('files-of-by-hand')).find(
      (one) => one.backup === lowest.event.backup,
    );
    expect(backup?.type).toBe('incremental');
    await remove('by-hand');
  });
});
