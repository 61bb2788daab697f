/**
 * What a long chain costs: restore after many incrementals of scattered changes, beside a restore of the full.
 *
 *   node test/bench/long-chains.mjs [--megabytes 64] [--chain 100] [--share 0.01] [--dataset DIR] [--work DIR]
 *
 * Builds a chain through the vault and the files driver: a full, and then as many incrementals as `--chain` says, each after
 * the share of the 8 KiB pages was overwritten in place, scattered. Without a data set the source is files of 8 MiB, half
 * random and half compressible. `--chain 100,400` restores after 100 and after 400. Each line: seconds, CPU seconds, bytes and
 * pieces read from the repository, how often the source's stored bytes that is, maps per incremental as a share of the source, and
 * the process's peak memory so far. Then a full is composed of the newest backup, without the source, and restored, too. Each state is restored `--rounds` times (default 3), the median counts.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { filesDriver } from '@catena/sources';
import { FsStore, initialiseRepository, newKeyFile, parseKeyFile } from '@catena/vault';
import { median } from './platform.mjs';

const PAGE = 8192;
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '64' },
    chain: { type: 'string', default: '100' },
    share: { type: 'string', default: '0.01' },
    rounds: { type: 'string', default: '3' },
    dataset: { type: 'string' },
    work: { type: 'string', default: '/var/tmp' },
  },
});
const stops = values.chain.split(',').map(Number);
const share = Number(values.share);

/** A folder store that counts what is read. */
class CountingStore extends FsStore {
  reads = 0;
  bytes = 0;

  async read(name, offset, length) {
    const bytes = await super.read(name, offset, length);
    this.reads += 1;
    this.bytes += bytes.length;
    return bytes;
  }
}

async function makeSource(folder) {
  await mkdir(folder);
  const file = Buffer.alloc(8 * 1024 * 1024);
  for (let i = 0; i < Number(values.megabytes) / 8; i++) {
    if (i % 2 === 0) randomFillSync(file);
    else for (let at = 0; at < file.length; at += 32) file.write(`row ${i} ${at} of a table `.padEnd(32), at);
    await writeFile(path.join(folder, `${i}.db`), file);
  }
}

/** Files with at least one page, and how many they have. */
async function pagesOf(folder) {
  const files = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size } = await stat(file);
    if (size >= 1 << 20) files.push({ file, pages: Math.floor(size / PAGE) });
  }
  return files;
}

async function change(files) {
  const page = Buffer.alloc(PAGE);
  for (const { file, pages } of files) {
    const wanted = pages * share;
    const count = Math.floor(wanted) + (Math.random() < wanted % 1 ? 1 : 0);
    if (count === 0) continue;
    const handle = await open(file, 'r+');
    for (let i = 0; i < count; i++)
      await handle.write(randomFillSync(page), 0, PAGE, Math.floor(Math.random() * pages) * PAGE);
    await handle.close();
  }
}

async function digest(folder) {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const file = path.join(folder, name);
    if ((await stat(file)).isFile()) hash.update(name).update(readFileSync(file));
  }
  return hash.digest('hex');
}

const peakMiB = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
const folder = await mkdtemp(path.join(values.work, 'catena-chain-'));
try {
  const source = path.join(folder, 'source');
  if (values.dataset) await cp(values.dataset, source, { recursive: true, preserveTimestamps: true });
  else await makeSource(source);
  const files = await pagesOf(source);
  const store = new CountingStore(path.join(folder, 'vault'));
  const keys = [parseKeyFile(newKeyFile())];
  const repository = await initialiseRepository(store, { keys, installation: 'benchmark' });
  const collection = repository.collection('chain');
  const family = await filesDriver.family({ path: source });

  const backup = async (number) => {
    const writer = await collection.beginBackup({
      backupId: `b${number}`,
      run: `run-${number}`,
      attempt: 1,
      source: { name: 'source', uid: 'source', family, driver: 'files' },
      startedAt: new Date(),
      ...(number === 0 ? { type: 'full' } : { type: 'incremental', parent: `b${number - 1}` }),
    });
    const outcome = await filesDriver.backup({ path: source }, writer);
    return (await writer.finish(outcome.summary)).manifest;
  };

  let targets = 0;
  const restore = async (id) => {
    const [reads, bytes, cpu, begun] = [store.reads, store.bytes, process.cpuUsage(), performance.now()];
    const target = path.join(folder, `restored-${targets++}`);
    const reader = await collection.openBackup(id);
    await filesDriver.restore(reader, target, { run: `restore-${targets}` });
    await reader.close();
    const used = process.cpuUsage(cpu);
    const result = {
      seconds: (performance.now() - begun) / 1000,
      cpu: (used.user + used.system) / 1e6,
      reads: store.reads - reads,
      bytes: store.bytes - bytes,
      target,
    };
    return result;
  };
  let ofFull;
  const measure = async (what, id, more = '') => {
    const runs = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      runs.push(await restore(id));
      if (round === 0 && (await digest(runs[0].target)) !== (await digest(source)))
        throw new Error(`${what}: what was restored is not the source`);
      await rm(runs.at(-1).target, { recursive: true });
    }
    const of = (field) => median(runs.map((run) => run[field]));
    ofFull ??= { seconds: of('seconds'), cpu: of('cpu'), bytes: of('bytes') };
    console.log(
      `| ${what} | ${of('seconds').toFixed(2)} | ${(of('seconds') / ofFull.seconds).toFixed(2)} | ${(of('cpu') / ofFull.cpu).toFixed(2)} | ${(of('bytes') / 1e6).toFixed(0)} | ${(of('bytes') / ofFull.bytes).toFixed(2)} | ${of('reads')} | ${more} | ${peakMiB().toFixed(0)} |`,
    );
  };

  /** A full of what a backup shows, in objects of its own. */
  const compose = async (from) => {
    const [reads, bytes, cpu, begun] = [store.reads, store.bytes, process.cpuUsage(), performance.now()];
    const plan = { backupId: `of-${from}`, run: `compose-${from}`, attempt: 1, startedAt: new Date(), from };
    const { manifest } = await collection.compose(plan);
    const used = process.cpuUsage(cpu);
    const seconds = (performance.now() - begun) / 1000;
    const readBytes = store.bytes - bytes;
    console.log(
      `| composing a full of it | ${seconds.toFixed(2)} | ${(seconds / ofFull.seconds).toFixed(2)} | ${((used.user + used.system) / 1e6 / ofFull.cpu).toFixed(2)} | ${(readBytes / 1e6).toFixed(0)} | ${(readBytes / ofFull.bytes).toFixed(2)} | ${store.reads - reads} | ${(manifest.statistics.bytesStored / 1e6).toFixed(0)} MB stored | ${peakMiB().toFixed(0)} |`,
    );
    return manifest.backup;
  };

  console.log(
    '| restored | s | of the full | CPU of the full | MB read | of the full | reads | maps per incremental | peak MiB |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  const full = await backup(0);
  await measure('the full', 'b0');
  const maps = [];
  for (let number = 1; number <= Math.max(...stops); number++) {
    await change(files);
    maps.push((await backup(number)).statistics.bytesOfMaps);
    const ofSource = (100 * median(maps)) / full.statistics.bytes;
    if (!stops.includes(number)) continue;
    await measure(`after ${number} of ${share * 100} %`, `b${number}`, `${ofSource.toFixed(2)} %`);
    const composed = await compose(`b${number}`);
    await measure(`after ${number}, composed`, composed);
  }
  await repository.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
