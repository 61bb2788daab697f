import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CatenaError } from '@catena/events';
import { initialiseRepository, newKeyFile, openRepository, parseKeyFile } from '../index.ts';
import { BackupHistory, readTree, temporaryFolder } from '../testing/index.ts';

const KEYS = [parseKeyFile(newKeyFile())];
const READERS = 200;
/** What a reader may be told who looks for what is being deleted. */
const NAMED = /^vault\.(backup-missing|object-missing|damaged)$/;

describe(`${READERS} readers without services, while a chain is deleted`, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let history: BackupHistory;
  beforeEach(async () => {
    folder = await temporaryFolder();
    history = new BackupHistory(
      await initialiseRepository(folder.path, { keys: KEYS, installation: 'here' }),
    );
  });
  afterEach(async () => {
    await history.repository.close();
    await folder.remove();
  });

  it('read what stays; of what goes they read it right, or are told by name that it is gone', async () => {
    await history.take('f1');
    await history.take('i1', { type: 'incremental', parent: 'f1' });
    await history.take('f2');
    const outcomes = { right: 0, gone: 0 };
    const read = async (backup: string): Promise<void> => {
      const repository = await openRepository(folder.path, { keys: KEYS });
      try {
        const reader = await repository.collection('c').openBackup(backup);
        const restored = await readTree(reader);
        await reader.close();
        for (const [name, bytes] of history.trees.get(backup)!)
          expect(restored.get(name)!.equals(bytes)).toBe(true);
        outcomes.right++;
      } catch (error) {
        if (!(error instanceof CatenaError)) throw error;
        expect({ backup, code: error.code }).toEqual({
          backup: 'i1',
          code: expect.stringMatching(NAMED) as unknown,
        });
        outcomes.gone++;
      } finally {
        await repository.close();
      }
    };
    const readers: Promise<void>[] = [];
    for (let reader = 0; reader < READERS; reader++) {
      readers.push(read(reader % 2 === 0 ? 'i1' : 'f2'));
      if (reader === READERS / 4) readers.push(history.prune('f1', 'i1').then(() => undefined));
      if (reader % 20 === 0) await Promise.race(readers.slice(-20));
    }
    await Promise.all(readers);
    expect(outcomes.right).toBeGreaterThanOrEqual(READERS / 2);
    expect(outcomes.right + outcomes.gone).toBe(READERS);
    await read('i1');
    expect(outcomes.gone).toBeGreaterThan(0);
    await history.expectRestorable('f2');
  });
});
