import { expect, it } from '@jest/globals';
import { initialiseRepository, newKeyFile, parseKeyFile } from '../index.ts';
import { addTree, MemoryStore, planOf, readTree, seededBytes } from '../testing/index.ts';

const PAGE = 8192;
const INCREMENTALS = process.env['CATENA_TEST_LONG'] === '1' ? 60 : 5;

/** Counts what is read of packs. */
class CountingStore extends MemoryStore {
  packBytesRead = 0;

  override async read(name: string, offset: number, length: number): Promise<Uint8Array> {
    const bytes = await super.read(name, offset, length);
    if (name.includes('/pack-')) this.packBytesRead += bytes.length;
    return bytes;
  }

  sizeOfPacks(): number {
    return [...this.objects].reduce(
      (sum, [name, { length }]) => sum + (name.includes('/pack-') ? length : 0),
      0,
    );
  }
}

it('reads no unit twice, however many incrementals the pages of the files are scattered over', async () => {
  const store = new CountingStore();
  const keys = [parseKeyFile(newKeyFile())];
  const repository = await initialiseRepository(store, { keys, installation: 'here' });
  const collection = repository.collection('c');
  const files = new Map(['a.db', 'b.db', 'c.db'].map((name, i) => [name, seededBytes(160 * PAGE, i)]));
  const full = await collection.beginBackup(planOf('b0'));
  await addTree(full, files);
  const { manifest } = await full.finish();
  for (let number = 1; number <= INCREMENTALS; number++) {
    for (const [i, bytes] of [...files.values()].entries())
      for (let change = 0; change < 5; change++) {
        const page = (number * 31 + i * 57 + change * 37) % 160;
        seededBytes(PAGE, number * 100 + i * 10 + change).copy(bytes, page * PAGE);
      }
    const plan = planOf(`b${number}`, { type: 'incremental', parent: `b${number - 1}` });
    const writer = await collection.beginBackup(plan);
    await addTree(writer, files);
    const { statistics } = (await writer.finish()).manifest;
    expect(statistics.bytesNew).toBeLessThanOrEqual(15 * PAGE);
    expect(statistics.bytesOfMaps).toBeLessThan(manifest.statistics.bytes / 50);
  }
  const reader = await collection.openBackup(`b${INCREMENTALS}`);
  store.packBytesRead = 0;
  const read = await readTree(reader);
  for (const [name, bytes] of files) expect(read.get(name)?.equals(bytes)).toBe(true);
  expect(store.packBytesRead).toBeGreaterThan(0);
  expect(store.packBytesRead).toBeLessThanOrEqual(store.sizeOfPacks());
  await reader.close();
  await repository.close();
});
