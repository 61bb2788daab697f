import { expect, it } from '@jest/globals';
import { initialiseRepository, type ByteRate, type Collection } from '../index.ts';
import { addTree, planOf, seededBytes, temporaryFolder } from '../testing/index.ts';

class Counter implements ByteRate {
  passed = 0;

  take(bytes: number): Promise<void> {
    this.passed += bytes;
    return Promise.resolve();
  }
}

async function withBackup(work: (collection: Collection, packBytes: number) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  const repository = await initialiseRepository(folder.path, { keys: [], installation: 'here' });
  try {
    const collection = repository.collection('c');
    const writer = await collection.beginBackup(planOf('full'));
    await addTree(
      writer,
      new Map([
        ['large', seededBytes(5_000_000, 1)],
        ['small', seededBytes(5000, 2)],
      ]),
    );
    const { manifest } = await writer.finish();
    await work(collection, manifest.volumes[0]?.packBytes ?? 0);
  } finally {
    await repository.close();
    await folder.remove();
  }
}

it('every byte that content is read from passes the limit, read by the reader or planned for others', async () => {
  await withBackup(async (collection) => {
    const [streamed, planned] = [new Counter(), new Counter()];
    const reader = await collection.openBackup('full', { workers: 1, limits: { read: streamed } });
    let bytes = 0;
    for await (const entry of reader.entries())
      for await (const chunk of reader.content(entry)) bytes += chunk.length;
    await reader.close();
    expect(bytes).toBe(5_005_000);
    expect(streamed.passed).toBeGreaterThan(5_005_000);

    const planning = await collection.openBackup('full', { limits: { read: planned } });
    for await (const entry of planning.entries())
      if (entry.content !== undefined)
        for await (const plan of planning.planner?.plans(entry) ?? []) await plan?.release();
    await planning.close();
    // The same pages and units; one that two files share is planned for each of them.
    expect(planned.passed).toBeGreaterThan(5_005_000);
    expect(planned.passed).toBeLessThan(streamed.passed + 128 * 1024);
  });
});

it('every byte that is verified passes the limit', async () => {
  await withBackup(async (collection, packBytes) => {
    const limit = new Counter();
    const report = await collection.verify({ depth: 'checksums', limits: { read: limit }, workers: 1 });
    expect(report.damages).toEqual([]);
    expect(report.bytes).toBeGreaterThan(packBytes - 100);
    expect(limit.passed).toBeGreaterThanOrEqual(report.bytes);
    expect(limit.passed).toBeLessThan(report.bytes + 50_000);
  });
});
