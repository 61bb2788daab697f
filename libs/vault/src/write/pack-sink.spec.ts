import { expect, it } from '@jest/globals';
import { MemoryStore } from '../testing/index.ts';
import { PackSink } from './pack-sink.ts';

const MIB = 1024 * 1024;

it('has room again when all is written, also when the memory of what was written is used again before it is durable', async () => {
  const store = new MemoryStore();
  const create = store.create.bind(store);
  const durable = Promise.withResolvers<undefined>();
  store.create = async (name) => {
    const writer = await create(name);
    return { ...writer, commit: () => durable.promise.then(() => writer.commit()) };
  };
  const sink = new PackSink({
    ...{ store, nameOf: (number) => `pack-${number}` },
    ...{ maxUncommitted: 8, maxWaitingBytes: 4 * MIB },
  });
  for (const number of [1, 2, 3]) sink.write(number, new Uint8Array(2 * MIB), true);
  const again: ArrayBuffer[] = [];
  while (again.length < 3) {
    again.push(...sink.takeSpare());
    await new Promise(setImmediate);
  }
  structuredClone(again, { transfer: again });
  durable.resolve(undefined);
  await sink.finish();
  let hasRoom = false;
  void sink.room().then(() => (hasRoom = true));
  await new Promise(setImmediate);
  expect(hasRoom).toBe(true);
});
