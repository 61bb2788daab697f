import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { initialiseRepository, type Collection, type Repository } from '@catena/vault';
import * as fs from 'node:fs';
import { letClockTick, ScratchFolder, seededBytes } from '../../testing/sample-tree.ts';
import { parseFilesSpec } from '../files-spec.ts';
import { FilesBackup } from './backup-files.ts';

/** Too large to be read at once, small enough to be read again; several tasks of the writer. */
const size = 3_300_000;

const scratch = new ScratchFolder();
let repository: Repository;
let collection: Collection;
beforeAll(async () => {
  repository = await initialiseRepository(scratch.at('repository'), { keys: [], installation: 'here' });
  collection = repository.collection('files');
});
afterAll(async () => {
  await repository.close();
  scratch.remove();
});

async function backup(id: string, change: (time: number) => void) {
  const file = scratch.at('source/middle');
  scratch.write('source/middle', seededBytes(size, 1));
  scratch.write('source/next', 'next');
  await letClockTick();
  let times = 0;
  const writer = await collection.beginBackup({
    backupId: id,
    run: `run-${id}`,
    attempt: 1,
    type: 'full',
    source: { name: 'source', uid: 'source', family: 'f', driver: 'files' },
    startedAt: new Date(),
  });
  const spec = parseFilesSpec({ path: scratch.at('source') });
  const read = (path: string) => {
    if (path === 'middle') change((times += 1));
  };
  const { warnings, summary } = await new FilesBackup(spec, writer, {}, { read }).run();
  await writer.finish(summary);
  const reader = await collection.openBackup(id);
  try {
    const entry = await reader.find(Buffer.from('middle'));
    if (entry === undefined) throw new Error('the file is not in the backup');
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.content(entry)) chunks.push(Uint8Array.from(chunk));
    const { mtimeNs, ctimeNs } = fs.statSync(file, { bigint: true });
    return { times, warnings, entry, content: Buffer.concat(chunks), mtimeNs, ctimeNs };
  } finally {
    await reader.close();
  }
}

it('a file of some megabytes that changes while it is read is read again, however long it is then', async () => {
  const later = seededBytes(size + 100_000, 2);
  const done = await backup('again', (time) => {
    if (time === 1) fs.writeFileSync(scratch.at('source/middle'), later);
  });
  expect(done).toMatchObject({ times: 2, warnings: 0 });
  expect(done.content.equals(later)).toBe(true);
  expect(done.entry.size).toBe(BigInt(later.length));
  expect(done.entry.mtime).toBe(done.mtimeNs);
  // So that the next backup looks at it again: its attributes were read before.
  expect(done.entry.ctime).toBeLessThan(done.ctimeNs);
});

it('one that never holds still is read three times and named', async () => {
  const done = await backup('never', (time) => {
    fs.appendFileSync(scratch.at('source/middle'), `${time}`);
  });
  expect(done).toMatchObject({ times: 3, warnings: 1 });
  expect(done.content.subarray(size).toString()).toBe('12');
});
