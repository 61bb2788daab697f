import { afterEach, describe, expect, it } from '@jest/globals';
import { initialiseRepository, openRepository, type ObjectWriter } from '../index.ts';
import { bytesReader, fileEntry, planOf, readTree, seededBytes } from '../testing/index.ts';
import { MemoryStore } from '../testing/memory-store.ts';

const MIB = 1024 * 1024;
const atLength = process.env['CATENA_TEST_LONG'] === '1' ? it : it.skip;
const WORKERS = 2;
/** Buffers, sealed bytes that wait, packs that are not durable: what may lie between the reading and the store. */
const MOST_AHEAD = 48 * MIB;

/** A store in which nothing of a pack can be written while it hangs. */
class HangingStore extends MemoryStore {
  private readonly gate = Promise.withResolvers<undefined>();

  goOn(): void {
    this.gate.resolve(undefined);
  }

  override async create(name: string): Promise<ObjectWriter> {
    const writer = await super.create(name);
    if (!name.includes('/pack-')) return writer;
    return {
      ...writer,
      write: async (bytes) => {
        await this.gate.promise;
        await writer.write(bytes);
      },
    };
  }
}

/** Content of which no block is like another; counts what has been taken of it. */
function countedContent(size: number) {
  const chunk = seededBytes(MIB, 5);
  const taken = { bytes: 0 };
  const read = {
    sizeHint: BigInt(size),
    async *open() {
      for (; taken.bytes < size; taken.bytes += chunk.length) {
        for (let at = 0; at < chunk.length; at += 4096) chunk.writeUInt32LE(taken.bytes / MIB, at);
        yield chunk;
      }
    },
  };
  return { taken, read };
}

/** Waits until no more is taken for a while, or more than there should be. */
async function untilStill(taken: { readonly bytes: number }): Promise<void> {
  let last = 0;
  while (taken.bytes === 0 || (taken.bytes !== last && taken.bytes <= MOST_AHEAD)) {
    last = taken.bytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

describe('a backup to a store that hangs', () => {
  let store: HangingStore;
  afterEach(() => store.goOn());

  const begin = async () => {
    store = new HangingStore();
    const repository = await initialiseRepository(store, { keys: [], installation: 'here' });
    const collection = repository.collection('c');
    return { collection, writer: await collection.beginBackup(planOf('full'), { workers: WORKERS }) };
  };

  it('reads no further than it has memory for, and goes on when the store does', async () => {
    const { collection, writer } = await begin();
    const { taken, read } = countedContent(64 * MIB);
    const adding = writer.add(fileEntry('image', 64 * MIB), { read });
    await untilStill(taken);
    expect(taken.bytes).toBeGreaterThan(0);
    expect(taken.bytes).toBeLessThanOrEqual(MOST_AHEAD);
    store.goOn();
    await adding;
    const { manifest } = await writer.finish();
    expect(manifest.statistics.bytesNew).toBe(64 * MIB);
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });

  it('lets whoever waits for it go when it is abandoned, and leaves nothing that counts', async () => {
    const { collection, writer } = await begin();
    const { taken, read } = countedContent(64 * MIB);
    const adding = writer.add(fileEntry('image', 64 * MIB), { read });
    const ended = expect(adding).rejects.toThrow('was abandoned');
    await untilStill(taken);
    const abandoned = writer.abandon();
    await ended;
    store.goOn();
    await abandoned;
    expect(await collection.latest()).toBeUndefined();
    expect([...store.objects.keys()].filter((name) => name.includes('manifest'))).toEqual([]);
  });
});

atLength(
  'what a killed attempt has not made durable, and the next one stores again, is at most 64 MB',
  async () => {
    const image = seededBytes(112 * MIB, 8);
    const store = new MemoryStore();
    const repository = await initialiseRepository(store, { keys: [], installation: 'here' });
    const first = await repository.collection('c').beginBackup(planOf('b'), { workers: WORKERS });
    await first.add(fileEntry('image', image.length), { read: bytesReader(image, MIB) });
    // What there is the moment all has been read is what a killed mover leaves.
    const left = new MemoryStore(store.objects);
    await first.abandon();
    const again = await openRepository(left, { keys: [] });
    const second = await again.collection('c').beginBackup(planOf('b', { attempt: 2 }), { workers: WORKERS });
    await second.add(fileEntry('image', image.length), { read: bytesReader(image, MIB) });
    const { manifest } = await second.finish();
    expect(manifest.statistics.bytesNew).toBeLessThanOrEqual(64_000_000);
    const reader = await again.collection('c').openBackup('b');
    expect((await readTree(reader)).get('image')?.equals(image)).toBe(true);
  },
);
