import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CatenaError } from '@catena/events';
import type { BackupReader, UnlockKey } from '../index.ts';
import { initialiseRepository, newKeyFile, openRepository, parseKeyFile } from '../index.ts';
import { addTree, forgeableUnits, forged, MemoryStore, planOf, seededBytes } from '../testing/index.ts';

const KIB = 1024;
const cases = process.env['CATENA_TEST_LONG'] === '1' ? 4000 : 30;
/** A file may say that it consists of that many zeros; nobody has to wait for them here. */
const MOST_BYTES = 32 * 1024 * KIB;

const tree = new Map<string, Uint8Array>([
  ['empty', new Uint8Array()],
  [
    'pages.db',
    Buffer.concat([seededBytes(300 * KIB, 1), Buffer.alloc(900 * KIB, 'rows and rows of a table ')]),
  ],
  ['script.sql', Buffer.from('insert into a table what compresses\n'.repeat(9000))],
  ['small/one', seededBytes(3000, 2)],
  ['small/two', Buffer.from('two')],
  ['sparse', Buffer.concat([Buffer.alloc(256 * KIB), seededBytes(5000, 3)])],
]);

async function objectsOf(keys: UnlockKey[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const store = new MemoryStore();
  const repository = await initialiseRepository(store, { keys, installation: 'here' });
  const collection = repository.collection('c');
  const full = await collection.beginBackup(planOf('full'), { packBytes: 256 * KIB, unitBytes: 16 * KIB });
  await addTree(full, tree);
  full.warn({ path: Buffer.from('x'), code: 'file.gone', message: 'x went away' });
  await full.finish();
  const changed = new Map(tree).set('small/one', seededBytes(3000, 9));
  const next = await collection.beginBackup(planOf('inc', { type: 'incremental', parent: 'full' }));
  await addTree(next, changed, (path) => path !== 'small/one');
  await next.finish();
  await repository.close();
  return store.objects;
}

/** What is wrong must be said as an error of ours; anything else is a reader that fell over. */
async function orNamed(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CatenaError)) throw error;
  }
}

async function readEverything(reader: BackupReader): Promise<void> {
  let bytes = 0;
  for await (const entry of reader.entries()) {
    await orNamed(async () => {
      for await (const chunk of reader.content(entry)) if ((bytes += chunk.length) > MOST_BYTES) break;
      await reader.contentRange(entry, entry.size / 2n, 10_000);
    });
    if (bytes > MOST_BYTES) break;
  }
  for await (const _warning of reader.warnings());
}

/** Reads and verifies all there is, whatever it is. */
async function useAll(objects: ReadonlyMap<string, Uint8Array>, keys: UnlockKey[]): Promise<void> {
  await orNamed(async () => {
    const repository = await openRepository(new MemoryStore(objects), { keys });
    const collection = repository.collection('c');
    for (const backup of ['full', 'inc'])
      await orNamed(async () => {
        const reader = await collection.openBackup(backup);
        try {
          await readEverything(reader);
        } finally {
          await reader.close();
        }
      });
    const stop = new AbortController();
    const report = await collection.verify({ depth: 'checksums', signal: stop.signal });
    expect(Array.isArray(report.damages)).toBe(true);
    await repository.close();
  });
}

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const change = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: position, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('overwrite' as const),
    at: position,
    bytes: fc.uint8Array({ maxLength: 40 }),
  }),
  fc.record({ kind: fc.constant('insert' as const), at: position, bytes: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: position, length: fc.nat(5000) }),
  fc.record({ kind: fc.constant('repeat' as const), at: position, length: fc.nat(500) }),
  // The largest number of as many bytes as a number may have.
  fc.record({ kind: fc.constant('huge' as const), at: position, bytes: fc.integer({ min: 1, max: 9 }) }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Uint8Array, what: Change): Buffer {
  const at = Math.floor(bytes.length * what.at);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (what.kind) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << what.bit);
      return copy;
    }
    case 'overwrite':
      return Buffer.concat([before, what.bytes, after.subarray(what.bytes.length)]);
    case 'insert':
      return Buffer.concat([before, what.bytes, after]);
    case 'cut':
      return Buffer.concat([before, after.subarray(what.length)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, what.length), after]);
    case 'huge': {
      const number = Buffer.alloc(what.bytes, 0xff);
      number[what.bytes - 1] = 0x7f;
      return Buffer.concat([before, number, after.subarray(what.bytes)]);
    }
  }
}

describe.each(['encrypted', 'plain'])('objects of a repository that is %s', (kind) => {
  const keys: UnlockKey[] = kind === 'encrypted' ? [parseKeyFile(newKeyFile())] : [];
  let objects: ReadonlyMap<string, Uint8Array>;
  let names: string[];
  beforeAll(async () => {
    objects = await objectsOf(keys);
    names = [...objects.keys()];
  });

  it('may hold anything: reader and verification say what is wrong, and never fall over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(change, { minLength: 1, maxLength: 3 }), async (which, changes) => {
        const name = names[which % names.length]!;
        const bytes = changes.reduce<Uint8Array>(
          (so, what) => changed(so, what),
          Buffer.from(objects.get(name)!),
        );
        await useAll(new Map(objects).set(name, bytes), keys);
      }),
      { numRuns: cases },
    );
  }, 3_600_000);

  it('may be random bytes, or be of another place', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.uint8Array({ maxLength: 2000 }), async (one, two, random) => {
        const [name, other] = [names[one % names.length]!, names[two % names.length]!];
        await useAll(new Map(objects).set(name, random), keys);
        await useAll(new Map(objects).set(name, objects.get(other)!), keys);
      }),
      { numRuns: Math.ceil(cases / 5) },
    );
  }, 3_600_000);
});

describe('units that somebody has sealed in the place of others', () => {
  let objects: ReadonlyMap<string, Uint8Array>;
  let units: { name: string; unit: ReturnType<typeof forgeableUnits>[number] }[];
  let pages: typeof units;
  beforeAll(async () => {
    objects = await objectsOf([]);
    units = [...objects].flatMap(([name, bytes]) => forgeableUnits(bytes).map((unit) => ({ name, unit })));
    pages = units.filter(({ name }) => !name.includes('/pack-'));
  });

  it('are refused or read, whatever they hold: lengths that lie, indexes that lead back, cut pages', async () => {
    expect(pages.length).toBeGreaterThan(6);
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(change, { minLength: 1, maxLength: 2 }), async (which, changes) => {
        const { name, unit } = pages[which % pages.length]!;
        const plain = changes.reduce<Uint8Array>((so, what) => changed(so, what), unit.plain);
        const object = forged(objects.get(name)!, unit, plain);
        if (object === undefined) return;
        tried++;
        await useAll(new Map(objects).set(name, object), []);
      }),
      { numRuns: cases * 2 },
    );
    expect(tried).toBeGreaterThan(cases / 4);
  }, 3_600_000);

  it('do not fill the memory: what would decompress to more than a unit may hold is refused', async () => {
    const bomb = Buffer.alloc(64 * 1024 * KIB);
    const before = process.memoryUsage().rss;
    let planted = 0;
    for (const { name, unit } of units) {
      const object = forged(objects.get(name)!, unit, bomb);
      if (object === undefined) continue;
      planted++;
      await useAll(new Map(objects).set(name, object), []);
      if (planted === 3) break;
    }
    expect(planted).toBeGreaterThan(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(512 * 1024 * KIB);
  });
});
