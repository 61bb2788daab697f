import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  initialiseRepository,
  newKeyFile,
  parseKeyFile,
  type Collection,
  type Repository,
} from '@catena/vault';
import * as fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { letClockTick, ScratchFolder, seededBytes } from '../testing/sample-tree.ts';
import { compareTrees, compareWithBackup } from './comparing/compare-trees.ts';
import { filesDriver } from './files-driver.ts';

/**
 * A thread that changes a folder all the time: files are replaced by whole ones of one letter, grow, are renamed and
 * removed, folders come, move and go.
 */
const RESTLESS = `
const { workerData: { folder, stop } } = require('node:worker_threads');
const fs = require('node:fs');
const path = require('node:path');
const flag = new Int32Array(stop);
const at = (...names) => path.join(folder, ...names);
const attempt = (work) => { try { work(); } catch (error) { if (!error.code) throw error; } };
for (let turn = 0; Atomics.load(flag, 0) === 0; turn++) {
  const letter = String.fromCharCode(97 + (turn % 26));
  const n = turn % 17;
  fs.writeFileSync(at('.next'), letter.repeat(300_000));
  fs.renameSync(at('.next'), at('replaced-' + n));
  fs.appendFileSync(at('growing'), letter.repeat(5000));
  attempt(() => fs.mkdirSync(at('folder-' + n, 'deep'), { recursive: true }));
  attempt(() => fs.writeFileSync(at('folder-' + n, 'deep', 'file'), letter));
  attempt(() => fs.renameSync(at('folder-' + n), at('moved-' + ((turn * 7) % 5))));
  attempt(() => fs.rmSync(at('moved-' + (turn % 5)), { recursive: true }));
  if (fs.statSync(at('growing')).size > 12_000_000) fs.truncateSync(at('growing'), 10);
  Atomics.add(flag, 1, 1);
  Atomics.wait(flag, 0, 0, 2);
}
`;

describe('a source that changes under the reader all the time', () => {
  let scratch: ScratchFolder;
  let repository: Repository;
  let collection: Collection;
  beforeEach(async () => {
    scratch = new ScratchFolder();
    const keys = [parseKeyFile(newKeyFile())];
    repository = await initialiseRepository(scratch.at('repository'), { keys, installation: 'here' });
    collection = repository.collection('files');
  });
  afterEach(async () => {
    await repository.close();
    scratch.remove();
  });

  async function backup(id: string, parent?: string): Promise<void> {
    const source = scratch.at('source');
    const writer = await collection.beginBackup({
      ...{ backupId: id, run: `run-${id}`, attempt: 1, startedAt: new Date() },
      ...(parent === undefined ? { type: 'full' } : { type: 'incremental', parent }),
      source: {
        name: 'source',
        uid: 'source',
        family: await filesDriver.family({ path: source }),
        driver: 'files',
      },
    });
    const { summary } = await filesDriver.backup({ path: source }, writer);
    await writer.finish(summary);
  }

  /** Restores a backup, compares it with what the backup says, and answers what the backup warned of. */
  async function restored(id: string): Promise<Set<string>> {
    const reader = await collection.openBackup(id);
    const { warnings } = await filesDriver.restore(reader, scratch.at(id), { run: `restore-${id}` });
    expect(warnings).toEqual([]);
    expect(await compareWithBackup(reader, scratch.at(id))).toEqual([]);
    const warned = new Set<string>();
    for await (const { path } of reader.warnings()) warned.add(Buffer.from(path).toString());
    await reader.close();
    return warned;
  }

  it('gives backups that restore whole: what held still as it was, what did not as it was once, or named', async () => {
    for (let n = 0; n < 20; n += 1) scratch.write(`source/still/${n}`, seededBytes(n * 20_000, n));
    fs.mkdirSync(scratch.at('source/restless'));
    const stop = new SharedArrayBuffer(8);
    const flag = new Int32Array(stop);
    const thread = new Worker(RESTLESS, {
      eval: true,
      workerData: { folder: scratch.at('source/restless'), stop },
    });
    const ended = new Promise((resolve, reject) => thread.once('exit', resolve).once('error', reject));
    const chain = ['full', 'second'];
    try {
      while (Atomics.load(flag, 1) < 20) await letClockTick();
      for (const [i, id] of chain.entries()) await backup(id, chain[i - 1]);
    } finally {
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
      await ended;
    }
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
    for (const id of chain) {
      const warned = await restored(id);
      expect([...warned].filter((path) => !path.startsWith('restless'))).toEqual([]);
      expect(await compareTrees(scratch.at('source/still'), scratch.at(id, 'still'))).toEqual([]);
      for (const name of fs.readdirSync(scratch.at(id, 'restless'))) {
        if (!name.startsWith('replaced-') || warned.has(`restless/${name}`)) continue;
        const content = fs.readFileSync(scratch.at(id, 'restless', name), 'latin1');
        expect({ name, letters: new Set(content).size, length: content.length }).toEqual({
          name,
          letters: 1,
          length: 300_000,
        });
      }
    }
    await letClockTick();
    await backup('quiet', 'second');
    expect([...(await restored('quiet'))]).toEqual([]);
    expect(await compareTrees(scratch.at('source'), scratch.at('quiet'))).toEqual([]);
  });
});
