/**
 * What a long chain costs: restores after many incrementals of scattered changes, beside restores of a full.
 *
 *   node test/bench/long-chains.mjs [--megabytes 64 | --dataset DIR] [--chain 100,400] [--share 0.01] [--after 25]
 *                                   [--rounds 3] [--work DIR] [--state DIR [--only build | measure] [--stop 400]]
 *
 * Builds a chain through the vault and the files driver: a full, and then as many incrementals as `--chain` says, each after
 * the share of the 8 KiB pages was overwritten in place, scattered. At each length in `--chain` the same state is also read
 * from the source as a full, and composed of the chain as a full, on which `--after` more incrementals follow, as when
 * composing is done every so often. Restores of the four are measured in turn; the first round checks what was restored
 * and warms the cache, the median of the others counts. Each line: seconds, CPU seconds, bytes and pieces read from the
 * repository, beside the full; maps per incremental as a share of the source, and the process's peak memory.
 *
 * A large set takes long. With `--state` a folder is kept: `--only build` goes on with the chain where it was left (any
 * number of times), `--only measure` restores from it, `--stop` only the states of that length.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { filesDriver } from '@catena/sources';
import { initialiseRepository, newKeyFile, openRepository, parseKeyFile } from '@catena/vault';
import { change, changedRuns, digest, makeSource, pagesOf } from './changing-source.mjs';
import { median } from './platform.mjs';
import { ownFolder } from './own-folder.mjs';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '64' },
    chain: { type: 'string', default: '100' },
    share: { type: 'string', default: '0.01' },
    after: { type: 'string', default: '25' },
    rounds: { type: 'string', default: '3' },
    dataset: { type: 'string' },
    work: { type: 'string', default: '/var/tmp' },
    state: { type: 'string' },
    only: { type: 'string' },
    stop: { type: 'string' },
  },
});
const stops = values.chain.split(',').map(Number);
const after = Number(values.after);

/** What all threads of this process have read through system calls: of a restore that is what it reads from the repository. */
function readSoFar() {
  const count = (name) =>
    Number(new RegExp(`${name}: (\\d+)`).exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  return { bytes: count('rchar'), reads: count('syscr') };
}

const peakMiB = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;

/** What has been done in a folder, so that it can be gone on with. */
function progressIn(folder) {
  const file = path.join(folder, 'progress.json');
  const done = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { key: newKeyFile(), share: Number(values.share), chain: 0, stops: {} };
  return { done, save: () => writeFileSync(file, JSON.stringify(done, undefined, 1)) };
}

async function open(folder, done) {
  const place = path.join(folder, 'vault');
  const keys = [parseKeyFile(done.key)];
  const begun = existsSync(place);
  const repository = await (begun
    ? openRepository(place, { keys })
    : initialiseRepository(place, { keys, installation: 'benchmark' }));
  return { repository, collection: repository.collection('chain') };
}

async function build(folder) {
  const { done, save } = progressIn(folder);
  const source = path.join(folder, 'source');
  if (!existsSync(source)) {
    if (values.dataset) await cp(values.dataset, source, { recursive: true, preserveTimestamps: true });
    else await makeSource(source, Number(values.megabytes));
  }
  const files = await pagesOf(source);
  const { repository, collection } = await open(folder, done);
  const family = await filesDriver.family({ path: source });
  const about = { name: 'source', uid: 'source', family, driver: 'files' };
  const begin = (backupId, lineage) => {
    const plan = { backupId, run: `run-${backupId}`, attempt: 1, startedAt: new Date(), source: about };
    return collection.beginBackup({ ...plan, ...lineage });
  };
  const finish = async (writer, summary) => {
    const { statistics } = (await writer.finish(summary)).manifest;
    return { maps: statistics.bytesOfMaps, bytes: statistics.bytes };
  };
  const backup = async (backupId, lineage) => {
    const writer = await begin(backupId, lineage);
    const { summary } = await filesDriver.backup({ path: source }, writer);
    return finish(writer, summary);
  };
  /** What the driver would find by reading everything is told to the writer at once: hundreds of backups take long. */
  const backupChanges = async (backupId, lineage, changed) => {
    const writer = await begin(backupId, lineage);
    const adding = new Set();
    for await (const before of writer.previous()) {
      const file = path.join(source, Buffer.from(before.path).toString());
      const numbers = changed.get(file);
      if (numbers === undefined) {
        await writer.add(before, { asBefore: before });
        continue;
      }
      const content = { before, size: before.size, changes: changedRuns(file, numbers) };
      const added = writer.add(before, content).then(() => adding.delete(added));
      adding.add(added);
      if (adding.size > 32) await Promise.race(adding);
    }
    await Promise.all(adding);
    return finish(writer);
  };
  /** One incremental after a change; the last one of several looks at the source as usual, so that all has hashes. */
  const incremental = async (backupId, parent, last) => {
    const changed = await change(files, done.share);
    const lineage = { type: 'incremental', parent };
    return last ? backup(backupId, lineage) : backupChanges(backupId, lineage, changed);
  };

  done.full ??= await backup('b0', { type: 'full' });
  save();
  for (const stop of stops) {
    if (done.stops[stop]?.whole) continue;
    for (; done.chain < stop; save()) {
      const backupId = `b${done.chain + 1}`;
      const { maps } = await incremental(backupId, `b${done.chain}`, done.chain + 1 === stop);
      done.chain += 1;
      done.maps = [...(done.maps ?? []), maps];
    }
    const from = `b${stop}`;
    const about = (done.stops[stop] = { digest: await digest(source) });
    about.read = await backup(`read-${stop}`, { type: 'full' });
    const [cpu, begun] = [process.cpuUsage(), performance.now()];
    const plan = { backupId: `composed-${stop}`, run: `compose-${stop}`, attempt: 1, startedAt: new Date() };
    const { manifest } = await collection.compose({ ...plan, from });
    const used = process.cpuUsage(cpu);
    about.composing = {
      seconds: (performance.now() - begun) / 1000,
      cpu: (used.user + used.system) / 1e6,
      stored: manifest.statistics.bytesStored,
    };
    // The chain itself goes on from where it is, not from these.
    let parent = plan.backupId;
    for (let number = 1; number <= after; number++) {
      await incremental(`after-${stop}-${number}`, parent, number === after);
      parent = `after-${stop}-${number}`;
    }
    about.digestAfter = await digest(source);
    about.whole = true;
    save();
  }
  await repository.close();
}

async function restore({ collection }, id, target) {
  const [read, cpu, begun] = [readSoFar(), process.cpuUsage(), performance.now()];
  const reader = await collection.openBackup(id);
  await filesDriver.restore(reader, target, { run: `restore-${path.basename(target)}` });
  await reader.close();
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - begun) / 1000;
  const { bytes, reads } = readSoFar();
  return {
    seconds,
    cpu: (used.user + used.system) / 1e6,
    reads: reads - read.reads,
    bytes: bytes - read.bytes,
  };
}

/** Small files stay until the end: a file system makes files slowly for a while after many were removed. */
async function removeLarge(folder) {
  for (const { file } of await pagesOf(folder)) await rm(file);
}

async function measure(folder, stop) {
  const { done } = progressIn(folder);
  const about = done.stops[stop];
  const place = await open(folder, done);
  const percent = `${done.share * 100} %`;
  const states = [
    { what: `a full read from the source then`, id: `read-${stop}`, digest: about.digest },
    { what: `after ${stop} of ${percent}`, id: `b${stop}`, digest: about.digest, maps: true },
    { what: `a full composed of that`, id: `composed-${stop}`, digest: about.digest },
  ];
  if (after > 0)
    states.push({
      what: `${after} incrementals after the composed`,
      id: `after-${stop}-${after}`,
      digest: about.digestAfter,
    });
  const targets = await mkdtemp(path.join(folder, 'restored-'));
  const runs = new Map(states.map(({ id }) => [id, []]));
  for (let round = 0; round <= Number(values.rounds); round++)
    for (const { id, what, digest: expected } of states) {
      const target = path.join(targets, `${id}-${round}`);
      const run = await restore(place, id, target);
      if (round > 0) runs.get(id).push(run);
      else if ((await digest(target)) !== expected)
        throw new Error(`${what}: what was restored is not the source`);
      await removeLarge(target);
    }
  await rm(targets, { recursive: true });
  await place.repository.close();

  console.log(
    '| restored | s | of the full | CPU s | of the full | MB read | of the full | reads | maps per incremental |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  const of = (id, field) => median(runs.get(id).map((run) => run[field]));
  const full = states[0].id;
  const sorted = done.maps.slice(0, stop).sort((a, b) => a - b);
  const share = (bytes) => ((100 * bytes) / done.full.bytes).toFixed(2);
  for (const { what, id, maps } of states)
    console.log(
      `| ${what} | ${of(id, 'seconds').toFixed(2)} | ${(of(id, 'seconds') / of(full, 'seconds')).toFixed(2)} | ${of(id, 'cpu').toFixed(2)} | ${(of(id, 'cpu') / of(full, 'cpu')).toFixed(2)} | ${(of(id, 'bytes') / 1e6).toFixed(0)} | ${(of(id, 'bytes') / of(full, 'bytes')).toFixed(2)} | ${of(id, 'reads')} | ${maps ? `${share(median(sorted))} % of the source, at most ${share(sorted.at(-1))} %` : ''} |`,
    );
  const { seconds, cpu, stored } = about.composing;
  console.log(
    `\ncomposing: ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} CPU s, ${(stored / 1e6).toFixed(0)} MB stored; peak memory of this process: ${peakMiB().toFixed(0)} MiB`,
  );
}

const own = values.state === undefined ? await ownFolder(values.work, 'catena-chain-') : undefined;
const folder = values.state ?? own.folder;
await mkdir(folder, { recursive: true });
try {
  if (values.only !== 'measure') await build(folder);
  if (values.only !== 'build')
    for (const stop of values.stop === undefined ? stops : [Number(values.stop)]) await measure(folder, stop);
} finally {
  await own?.remove();
}
