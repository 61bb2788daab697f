import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schedulerRequests, type ScheduleStatusView } from '@catena/events';
import { command, until } from '../platform/operator.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

let platform: TestPlatform;
let catena: CatenaCommand;

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home, { folder: platform.folder });
  const { source } = await platform.defineFiles({ source: 'docs', repository: 'vault' });
  platform.write(source, { 'letter.txt': 'Dear Ada,\n' });
});

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
});

async function schedule(name: string, spec: string): Promise<void> {
  await platform.apply(
    `apiVersion: catena/v1\nkind: Schedule\nmetadata: {name: ${name}}\nspec: {source: docs, repository: vault, ${spec}}\n`,
  );
}

async function status(name: string): Promise<ScheduleStatusView> {
  const { items } = await platform.client.ask(schedulerRequests.listScheduleStatus, { name });
  return items[0]!;
}

/** Why there are runs so far, but for those that came due by the clock meanwhile. */
async function askedFor(): Promise<string[]> {
  const fired = await platform.events(['schedule.fired']);
  const reasons = fired.flatMap((event) => (event.type === 'schedule.fired' ? [event.data.reason] : []));
  return reasons.filter((reason) => reason !== 'due');
}

const remove = (name: string) =>
  platform.client.ask(schedulerRequests.deleteDefinition, { ...command(), kind: 'Schedule', name });

describe('schedules on a whole platform', () => {
  it('F38, F54, F55, issue 6.8: get and describe show a schedule as people know it', async () => {
    await schedule(
      'nightly',
      "timeZone: Europe/Berlin, incremental: '30 2 * * *', full: '@weekly', firstRun: now",
    );
    await until('the first full', async () => (await status('nightly')).lastOutcome !== undefined);
    const stands = await status('nightly');
    expect(stands).toMatchObject({
      status: 'active',
      running: [],
      failures: 0,
      lastOutcome: { outcome: 'completed' },
      cadences: [
        { cadence: 'full', rhythm: '@weekly', chosen: false },
        { cadence: 'incremental', rhythm: '30 2 * * *', chosen: false },
      ],
    });
    const listed = await catena.run('get', 'schedules');
    expect(listed.out).toMatch(
      /^ID +NAME +STATUS +FIRST RUN +NEXT RUN +CADENCE +LAST OUTCOME +RUNNING +STATE/,
    );
    expect(listed.out).toContain(stands.id);
    const described = await catena.run('describe', 'schedule', 'nightly');
    expect(described.out).toContain('Next times:');
    expect(described.out).toMatch(/fired +full .* firstRun run-/);
    // What describe prints makes the schedule again: applying it changes nothing.
    const definition = /applied again:\n(.*?)\n\nNext times/s.exec(described.out)?.[1] ?? '';
    const applied = await platform.client.ask(schedulerRequests.applyDefinitions, {
      ...command(),
      files: [{ name: 'again.yaml', text: definition }],
    });
    expect(applied.results).toMatchObject([{ name: 'nightly', action: 'unchanged' }]);
  });

  it('issue 6.4: a backfill says what it would do, and does it once however often it is sent', async () => {
    const asked = {
      ...command(),
      schedule: 'nightly',
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-08T00:00:00.000Z',
    };
    const plan = await platform.client.ask(schedulerRequests.backfillSchedule, { ...asked, dryRun: true });
    expect(plan.rows.filter(({ action }) => action === 'run')).toHaveLength(1);
    expect(plan.count).toBe(8);
    expect(await askedFor()).toEqual(['firstRun']);
    const done = await platform.client.ask(schedulerRequests.backfillSchedule, { ...asked, dryRun: false });
    const again = await platform.client.ask(schedulerRequests.backfillSchedule, { ...asked, dryRun: false });
    expect([done.runs, again.runs]).toEqual([plan.runs, plan.runs]);
    expect((await platform.outcome(plan.runs[0]!)).state).toBe('completed');
    expect(await askedFor()).toEqual(['firstRun', 'backfill']);
  });

  it('rule 3.6: cancelPrevious has the previous run cancelled, and runs when it is', async () => {
    await remove('nightly');
    await platform.stopService('mover-1');
    await schedule('often', 'full: every 4s, firstRun: scheduled, onPreviousRunning: cancelPrevious');
    await until('a cancelled run', async () => (await platform.events(['run.cancelled'])).length > 0);
    const [delayed] = await platform.events(['schedule.delayed']);
    const [cancelled] = await platform.events(['run.cancelled']);
    expect(delayed?.data).toMatchObject({ reason: 'cancelPrevious', by: cancelled?.aggregate.id });
    await until('the run after it', async () => {
      const fired = await platform.events(['schedule.fired']);
      return fired.some(({ sequence }) => sequence > cancelled!.sequence);
    });
    await remove('often');
  });
});
