/**
 * What very many small files cost, beside restic, per file.
 *
 *   node test/bench/many-files.mjs [--files 200000] [--work DIR]
 *
 * Makes files of 0.5 to 8 KiB in folders of 500, and times a first backup, one in which nothing has changed, and a restore,
 * each encrypted. Catena's side is the vault and the files driver in this process, without services; restic
 * (Debian's package) is a whole process. Microseconds per file, of the clock and of the CPU.
 */
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { filesDriver } from '@catena/sources';
import { initialiseRepository, newKeyFile, parseKeyFile } from '@catena/vault';
import { ownFolder } from './own-folder.mjs';

const { values } = parseArgs({
  options: { files: { type: 'string', default: '200000' }, work: { type: 'string', default: '/var/tmp' } },
});
const files = Number(values.files);
const { folder, remove } = await ownFolder(values.work, 'catena-many-');
const source = path.join(folder, 'source');

function makeSource() {
  const bytes = Buffer.alloc(8192);
  for (let i = 0; i < files; i++) {
    const inside = path.join(source, `folder ${Math.floor(i / 500)}`);
    if (i % 500 === 0) mkdirSync(inside, { recursive: true });
    randomFillSync(bytes, 0, 256);
    bytes.write(`file ${i} and some text that compresses `, 256);
    writeFileSync(path.join(inside, `file ${i}.dat`), bytes.subarray(0, 512 + ((i * 7919) % 7680)));
  }
}

/** User and system seconds of all children that have ended. */
function ofChildren() {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number);
  return (fields[13] + fields[14]) / 100;
}

function ofThisProcess() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const rows = new Map();
async function timed(what, tool, cpuNow, work) {
  const [begun, cpu] = [performance.now(), cpuNow()];
  await work();
  const row = { clock: ((performance.now() - begun) * 1e3) / files, cpu: ((cpuNow() - cpu) * 1e6) / files };
  rows.set(what, { ...rows.get(what), [tool]: row });
}

function restic(...args) {
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: path.join(folder, 'restic'),
    RESTIC_PASSWORD: 'benchmark',
  };
  const result = spawnSync('restic', ['--no-cache', '-q', ...args], { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`restic ${args.join(' ')}: ${result.stderr}`);
}

try {
  makeSource();
  const keys = [parseKeyFile(newKeyFile())];
  const repository = await initialiseRepository(path.join(folder, 'vault'), {
    keys,
    installation: 'benchmark',
  });
  const collection = repository.collection('many');
  const family = await filesDriver.family({ path: source });
  const backup = async (id, lineage) => {
    const writer = await collection.beginBackup({
      backupId: id,
      run: `run-${id}`,
      attempt: 1,
      source: { name: 'source', uid: 'source', family, driver: 'files' },
      startedAt: new Date(),
      ...lineage,
    });
    const outcome = await filesDriver.backup({ path: source }, writer);
    await writer.finish(outcome.summary);
  };
  const restore = async () => {
    const reader = await collection.openBackup('second');
    await filesDriver.restore(reader, path.join(folder, 'restored'), { run: 'restore' });
    await reader.close();
  };
  restic('init');
  await timed('first backup', 'catena', ofThisProcess, () => backup('first', { type: 'full' }));
  await timed('first backup', 'restic', ofChildren, () => restic('backup', source));
  const incremental = { type: 'incremental', parent: 'first' };
  await timed('nothing changed', 'catena', ofThisProcess, () => backup('second', incremental));
  await timed('nothing changed', 'restic', ofChildren, () => restic('backup', source));
  await timed('restore', 'catena', ofThisProcess, restore);
  const other = path.join(folder, 'restored by restic');
  await timed('restore', 'restic', ofChildren, () => restic('restore', 'latest', '--target', other));
  await repository.close();

  console.log(`${files} files\n`);
  console.log('| step | catena µs | restic µs | of restic | catena CPU µs | restic CPU µs | of restic |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const [what, { catena, restic: peer }] of rows)
    console.log(
      `| ${what} | ${catena.clock.toFixed(0)} | ${peer.clock.toFixed(0)} | ${(catena.clock / peer.clock).toFixed(2)} | ${catena.cpu.toFixed(0)} | ${peer.cpu.toFixed(0)} | ${(catena.cpu / peer.cpu).toFixed(2)} |`,
    );
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  console.log(`\npeak memory of catena's process: ${peak.toFixed(0)} MiB`);
} finally {
  await remove();
}
