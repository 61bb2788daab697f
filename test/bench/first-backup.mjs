/**
 * Writing backups beside restic, borg and what the machine can do at all, on one data set, in one run.
 *
 *   node test/bench/first-backup.mjs --dataset DIR [--rounds 3] [--work DIR]
 *
 * DIR holds the files to protect; it is copied once, and only the copy is changed. The services run before the clock
 * starts; a job is timed from its request to its completion. restic and borg (Debian's packages; borg may be missing) are
 * timed as whole processes. Rounds alternate, so that a machine that gets slower hits all alike; the median counts.
 * Everything is encrypted. User and system time of the mover (or of the process) is given beside the seconds, because it
 * depends less on what else the machine does. Restores: restore-and-verify.mjs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { schedulerRequests } from '@catena/events';
import { apply, command, median, withPlatform } from './platform.mjs';

const { values } = parseArgs({
  options: {
    dataset: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    work: { type: 'string', default: '/var/tmp' },
  },
});
if (!values.dataset) throw new Error('Name the data set: --dataset DIR.');
const rounds = Number(values.rounds);
const timings = new Map();

function record(what, tool, { seconds, cpu }, bytes) {
  const key = `${what}\0${tool}`;
  const rows = timings.get(key) ?? { seconds: [], cpu: [], bytes: [] };
  rows.seconds.push(seconds);
  rows.cpu.push(cpu);
  if (bytes !== undefined) rows.bytes.push(bytes);
  timings.set(key, rows);
  console.log(`${what}, ${tool}: ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU`);
}

/** User and system time in seconds: of a process that runs, or of all children that have ended. */
function cpuSeconds(pid, children) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  const [user, system] = children ? [fields[13], fields[14]] : [fields[11], fields[12]];
  return (Number(user) + Number(system)) / 100;
}

async function timed(work, pid) {
  const used = () => (pid === undefined ? cpuSeconds('self', true) : cpuSeconds(pid, false));
  const [begun, usedBefore] = [performance.now(), used()];
  await work();
  return { seconds: (performance.now() - begun) / 1000, cpu: used() - usedBefore };
}

async function sizeOf(folder) {
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await stat(path.join(entry.parentPath, entry.name))).size;
  }
  return size;
}

/** Overwrites a share of the files of 1 MiB and more with random bytes, in place, in runs of so many 8 KiB pages. */
async function changeInPlace(folder, share, pages) {
  const run = Buffer.alloc(8192 * pages);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size } = await stat(file);
    if (size < 1 << 20) continue;
    const handle = await open(file, 'r+');
    for (let offset = 0; offset + run.length <= size; offset += run.length) {
      if (Math.random() >= share) continue;
      await handle.write(randomFillSync(run), 0, run.length, offset);
    }
    await handle.close();
  }
}

function restic(repository, ...args) {
  const env = { ...process.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: 'benchmark' };
  const result = spawnSync('restic', ['--no-cache', '-q', ...args], { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`restic ${args.join(' ')}: ${result.stderr}`);
}

const hasBorg = spawnSync('borg', ['--version']).status === 0;

function borg(home, ...args) {
  const env = { ...process.env, BORG_PASSPHRASE: 'benchmark', BORG_BASE_DIR: home };
  const result = spawnSync('borg', args, { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`borg ${args.join(' ')}: ${result.stderr}`);
}

const shell = (line) => execFileSync('bash', ['-c', line]);

console.log(
  execFileSync('restic', ['version'], { encoding: 'utf8' }).trim(),
  '| node',
  process.versions.node,
);

await withPlatform(async ({ folder, client, platform }) => {
  const source = path.join(folder, 'source');
  await cp(values.dataset, source, { recursive: true, preserveTimestamps: true });
  const total = await sizeOf(source);
  console.log(`data set: ${(total / 1e6).toFixed(0)} MB`);

  const run = async (kind, input) => {
    const { run: id } = await client.ask(schedulerRequests[kind], { ...command(), ...input });
    const outcome = await client.followRun(id, { signal: AbortSignal.timeout(1_200_000) });
    if (outcome.state !== 'completed')
      throw new Error(
        `${kind} ended ${outcome.state}: ${JSON.stringify(outcome.failure ?? outcome.event.data.warnings)}`,
      );
    return outcome.event.data;
  };
  const peak = () => {
    const status = execFileSync('cat', [`/proc/${platform.supervisor.child('mover-1').pid}/status`], {
      encoding: 'utf8',
    });
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  };

  for (let round = 1; round <= rounds; round++) {
    const vault = path.join(folder, `vault${round}`);
    const other = path.join(folder, `restic${round}`);
    const name = { source: `set${round}`, repository: `vault${round}` };
    await writeFile(path.join(folder, 'passphrase'), 'benchmark\n');
    await apply(
      client,
      `apiVersion: catena/v1
kind: Source
metadata: {name: ${name.source}}
spec: {driver: files, files: {path: ${source}}}
---
apiVersion: catena/v1
kind: Repository
metadata: {name: ${name.repository}}
spec: {store: fs, fs: {path: ${vault}}, encryption: {keys: [{passphrase: {file: ${folder}/passphrase}}]}}
`,
    );
    const third = path.join(folder, `borg${round}`);
    restic(other, 'init');
    if (hasBorg) borg(folder, 'init', '--encryption=repokey-blake2', third);
    const sizes = new Map();
    const grown = async (repository) => {
      const size = await sizeOf(repository);
      const before = sizes.get(repository) ?? 0;
      sizes.set(repository, size);
      return size - before;
    };
    for (const repository of [vault, other, third].slice(0, hasBorg ? 3 : 2))
      await grown(repository).catch(() => undefined);
    const all = async (what, type) => {
      const { pid } = platform.supervisor.child('mover-1');
      const asked = () => run('requestBackup', { ...name, type, copyOnly: false });
      record(what, 'catena', await timed(asked, pid), await grown(vault));
      record(what, 'restic', await timed(() => restic(other, 'backup', source)), await grown(other));
      if (!hasBorg) return;
      const archive = `${third}::${sizes.get(third)}-${type}-${Date.now()}`;
      const create = () => borg(folder, 'create', '-C', 'lz4', archive, source);
      record(what, 'borg', await timed(create), await grown(third));
    };
    await all('first backup', 'full');
    await all('nothing changed', 'incremental');
    await changeInPlace(source, 0.05, 1);
    await all('5 % of 8 KiB pages changed', 'incremental');
    await changeInPlace(source, 0.05, 128);
    await all('5 % changed in runs of 1 MiB', 'incremental');

    const copied = path.join(folder, 'copied');
    const floors = {
      'reading all of it': `find ${source} -type f -print0 | xargs -0 cat > /dev/null`,
      'SHA-256 of it': `find ${source} -type f -print0 | xargs -0 cat | openssl dgst -sha256 > /dev/null`,
      'tar | zstd -T2 -3': `tar -cf - -C ${source} . | zstd -q -T2 -3 > /dev/null`,
      'cp -a': `cp -a ${source} ${copied}`,
    };
    for (const [what, line] of Object.entries(floors)) record('floor', what, await timed(() => shell(line)));
    await rm(copied, { recursive: true });
    for (const repository of [vault, other, ...(hasBorg ? [third] : [])])
      await rm(repository, { recursive: true });
  }

  console.log('\n| step | tool | seconds | of restic | CPU s | of restic | added MB |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  const mb = (bytes) => (bytes.length > 0 ? (median(bytes) / 1e6).toFixed(0) : '');
  for (const [key, { seconds, cpu, bytes }] of timings) {
    const [what, tool] = key.split('\0');
    const reference = timings.get(`${what}\0restic`);
    const ratio = (of, to) => (to ? (median(of) / median(to)).toFixed(2) : '');
    const spread = `[${Math.min(...seconds).toFixed(2)}–${Math.max(...seconds).toFixed(2)}]`;
    console.log(
      `| ${what} | ${tool} | ${median(seconds).toFixed(2)} ${spread} | ${ratio(seconds, reference?.seconds)} | ` +
        `${median(cpu).toFixed(1)} | ${ratio(cpu, reference?.cpu)} | ${mb(bytes)} |`,
    );
  }
  console.log(`\npeak memory of the mover: ${peak().toFixed(0)} MiB`);
}, values.work);
