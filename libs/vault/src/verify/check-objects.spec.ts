import { expect, it } from '@jest/globals';
import { initialiseRepository, newKeyFile, parseKeyFile } from '../index.ts';
import {
  addTree,
  flipBit,
  objectsIn,
  planOf,
  removeObject,
  seededBytes,
  temporaryFolder,
} from '../testing/index.ts';

const MIB = 1024 * 1024;

it('finds on several threads what is damaged, and ends them when it is told to stop', async () => {
  const folder = await temporaryFolder();
  const keys = [parseKeyFile(newKeyFile())];
  const repository = await initialiseRepository(folder.path, { keys, installation: 'here' });
  const collection = repository.collection('c');
  const writer = await collection.beginBackup(planOf('b1'), { packBytes: MIB });
  await addTree(writer, new Map([['data', seededBytes(9 * MIB, 1)]]));
  await writer.finish();
  expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);

  const packs = (await objectsIn(folder.path)).filter((name) => name.includes('pack-'));
  expect(packs.length).toBeGreaterThan(5);
  await flipBit(folder.path, packs[4]!, 0.5);
  await removeObject(folder.path, packs[1]!);
  const { damages } = await collection.verify({ depth: 'checksums' });
  expect(damages.map(({ object, reason, files }) => ({ object, reason, files }))).toEqual([
    { object: packs[1], reason: 'missing', files: ['data'] },
    { object: packs[4], reason: 'checksum', files: ['data'] },
  ]);

  const stop = new AbortController();
  const onProgress = ({ bytes }: { bytes: number }) => bytes > 2 * MIB && stop.abort(new Error('enough'));
  const stopped = collection.verify({ depth: 'checksums', signal: stop.signal, onProgress });
  await expect(stopped).rejects.toThrow('enough');
  await repository.close();
  await folder.remove();
});
