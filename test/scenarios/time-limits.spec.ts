import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schedulerRequests, type RunView } from '@catena/events';
import { command } from '../platform/operator.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;

let platform: TestPlatform;
let catena: CatenaCommand;

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home);
  const { source } = await platform.defineFiles({ source: 'letters', repository: 'vault' });
  platform.write(source, { 'a.txt': 'one\n' });
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

/** A mover that stands still in the middle of its first run, and goes on when the run is to be cancelled. */
async function cancelledInTime(
  name: string,
  spec: () => string,
): Promise<{ run: string; reason: string | undefined }> {
  const marker = await platform.doom('mover', 'mover-1', 'mover.after-claim', { signal: 'SIGSTOP' });
  await platform.apply(
    `apiVersion: catena/v1\nkind: Schedule\nmetadata: {name: ${name}}\nspec: {source: letters, repository: vault, ${spec()}}\n`,
  );
  await platform.standsStill('mover-1', marker);
  const requested = await platform.event('run.requested', ({ data }) => data.schedule === name);
  const run = requested.aggregate.id;
  const asked = await platform.event('run.cancel-requested', ({ aggregate }) => aggregate.id === run);
  process.kill(platform.pidOf('mover-1'), 'SIGCONT');
  expect((await platform.outcome(run)).state).toBe('cancelled');
  await platform.client.ask(schedulerRequests.deleteDefinition, { ...command(), kind: 'Schedule', name });
  return { run, reason: asked.data.reason };
}

describe('a run that takes too long', () => {
  it(
    'issue 6.4: past its time limit it is cancelled by name, with the reason; nothing of it counts',
    async () => {
      const { run, reason } = await cancelledInTime(
        'quick',
        () => "full: '@yearly', firstRun: now, timeLimit: 2s",
      );
      expect(reason).toBe('it took longer than the 2s that schedule quick allows');
      const shown = await catena.run('runs', run);
      expect(shown.out).toContain(`cancel requested: ${reason}`);
      const { run: view } = await catena.ask<{ run: RunView }>('runs', run);
      expect(view).toMatchObject({ state: 'cancelled', schedule: 'quick' });
      expect(await platform.backups('letters')).toEqual([]);
    },
    PATIENCE,
  );

  (atLength ? it : it.skip)(
    'issue 6.4: at the end of a window in which runs must end it is cancelled, with the reason',
    async () => {
      const minute = (later: number) => new Date(Date.now() + later).toISOString().slice(11, 16);
      // Asked for when the mover waits already; it closes within two minutes, and not before one has passed.
      const window = () => `{from: '${minute(-3_600_000)}', to: '${minute(120_000)}', must: end}`;
      const { reason } = await cancelledInTime(
        'nightly',
        () => `full: '@yearly', firstRun: now, window: ${window()}`,
      );
      expect(reason).toMatch(/^the window of schedule nightly closed at \d{4}-.*:00\.000Z$/);
    },
    PATIENCE,
  );
});
