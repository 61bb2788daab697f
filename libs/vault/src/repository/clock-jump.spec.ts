import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { initialiseRepository, newKeyFile, parseKeyFile } from '../index.ts';
import { BackupHistory, temporaryFolder } from '../testing/index.ts';

const YEAR = 365 * 86_400_000;
const NOON = Date.UTC(2026, 10, 20, 12);

describe('clocks that jump', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let history: BackupHistory;
  let now = NOON;
  beforeEach(async () => {
    folder = await temporaryFolder();
    now = NOON;
    const options = { keys: [parseKeyFile(newKeyFile())], installation: 'here', now: () => new Date(now) };
    history = new BackupHistory(await initialiseRepository(folder.path, options));
  });
  afterEach(async () => {
    await history.repository.close();
    await folder.remove();
  });

  it('neither take a backup from its chain nor its place from another', async () => {
    const jumps = [0, -YEAR, 3 * YEAR, -2 * YEAR, 0];
    const taken: string[] = [];
    for (const [index, jump] of jumps.entries()) {
      now = NOON + jump;
      const startedAt = new Date(now);
      const backup = `b${index}`;
      const parent = taken.at(-1);
      await history.take(backup, {
        startedAt,
        ...(parent === undefined ? {} : { type: 'incremental', parent }),
      });
      taken.push(backup);
    }
    now = NOON;
    await history.take('f', { startedAt: new Date(now) });
    await history.expectRestorable(...taken, 'f');
  });

  it('bring the attempts of a run to one folder all the same, and what was stored is taken over', async () => {
    await history.interrupt('b', { attempt: 1, startedAt: new Date(NOON) });
    now = NOON - 5 * YEAR;
    await history.interrupt('b', { attempt: 2, startedAt: new Date(now) });
    now = NOON + 5 * YEAR;
    await history.take('b', { attempt: 3, startedAt: new Date(now) });
    await history.expectRestorable('b');
    const { manifest } = await history.collection().backup('b');
    expect(manifest.folder).toBe('2026/11/20-120000.00');
    const folders = new Set((await history.names()).filter((name) => name.endsWith('/run.json')));
    expect([...folders]).toEqual(['c/2026/11/20-120000.00/run.json']);
  });
});
