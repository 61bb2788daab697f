/**
 * What an incremental adds to a repository when little or nothing has changed in a tree of many files.
 *
 *   node test/bench/incremental-bytes.mjs [--files 20000] [--work DIR]
 *
 * Bytes only, encrypted: they do not depend on the machine.
 */
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { filesDriver } from '@catena/sources';
import { initialiseRepository, newKeyFile, parseKeyFile } from '@catena/vault';
import { ownFolder } from './own-folder.mjs';

const FOLDERS = 40;
const { values } = parseArgs({
  options: { files: { type: 'string', default: '20000' }, work: { type: 'string', default: tmpdir() } },
});

async function sizeOf(folder) {
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) size += (await stat(path.join(entry.parentPath, entry.name))).size;
  return size;
}

const { folder, remove } = await ownFolder(values.work, 'catena-bytes-');
try {
  const source = path.join(folder, 'source');
  const fileAt = (number) => path.join(source, `d${number % FOLDERS}`, `file-${number}`);
  for (let i = 0; i < FOLDERS; i++) await mkdir(path.join(source, `d${i}`), { recursive: true });
  for (let i = 0; i < Number(values.files); i++)
    await writeFile(fileAt(i), randomBytes(500 + ((i * 7919) % 7500)));
  // What was changed in the moment in which it was read is read again by the next backup.
  await sleep(100);
  const root = path.join(folder, 'vault');
  const keys = [parseKeyFile(newKeyFile())];
  const repository = await initialiseRepository(root, { keys, installation: 'benchmark' });
  const collection = repository.collection('tree');
  let before = await sizeOf(root);
  let parent;
  console.log(
    '| backup | entries | read | maps and entries | the repository grows by |\n| --- | --- | --- | --- | --- |',
  );
  const backup = async (what, id) => {
    const writer = await collection.beginBackup({
      backupId: id,
      run: `run-${id}`,
      attempt: 1,
      source: { name: 'source', uid: 'source', family: 'benchmark', driver: 'files' },
      startedAt: new Date(),
      ...(parent === undefined ? { type: 'full' } : { type: 'incremental', parent }),
    });
    const { summary } = await filesDriver.backup({ path: source }, writer);
    const { statistics } = (await writer.finish(summary)).manifest;
    parent = id;
    const after = await sizeOf(root);
    const { entries, bytesRead, bytesOfMaps } = statistics;
    console.log(`| ${what} | ${entries} | ${bytesRead} | ${bytesOfMaps} | ${after - before} |`);
    before = after;
  };
  await backup('the full', 'b0');
  await backup('nothing changed', 'b1');
  await appendFile(fileAt(7), 'more');
  await backup('one file changed', 'b2');
  for (let i = 0; i < 20; i++) await appendFile(fileAt(i * 997), 'more');
  await backup('twenty files changed, here and there', 'b3');
  await repository.close();
} finally {
  await remove();
}
