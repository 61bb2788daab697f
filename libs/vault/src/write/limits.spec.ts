import { expect, it } from '@jest/globals';
import { initialiseRepository } from '../index.ts';
import { addTree, planOf, seededBytes, temporaryFolder } from '../testing/index.ts';

it.each([0, 2])('every byte a backup reads or packs passes the limits, with %d threads', async (workers) => {
  const folder = await temporaryFolder();
  const repository = await initialiseRepository(folder.path, { keys: [], installation: 'here' });
  try {
    const passed = { read: 0, write: 0 };
    const counting = (what: 'read' | 'write') => ({
      take: (bytes: number) => {
        passed[what] += bytes;
        return Promise.resolve();
      },
    });
    const writer = await repository
      .collection('c')
      .beginBackup(planOf('full'), { workers, limits: { read: counting('read'), write: counting('write') } });
    const tree = new Map([
      ['large', seededBytes(5_000_000, 1)],
      ['small', seededBytes(5000, 2)],
      ['table.csv', seededBytes(700_000, 3)],
    ]);
    await addTree(writer, tree);
    const { manifest } = await writer.finish();
    expect(passed.read).toBe(5_705_000);
    expect(passed.write).toBe(manifest.volumes[0]?.packBytes);
  } finally {
    await repository.close();
    await folder.remove();
  }
});
