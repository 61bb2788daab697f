/**
 * The data path beside restic and plain copying, on one data set, in one run.
 *
 *   node test/bench/first-backup.mjs --dataset DIR [--rounds 3] [--work DIR]
 *
 * DIR holds the files to protect; it is copied once, and only the copy is changed. The services run before the clock starts; a
 * job is timed from its request to its completion. restic (Debian's package) is timed as a whole process. Rounds
 * alternate, so that a machine that gets slower hits all alike; the median counts. Everything is encrypted.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { cp, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
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

function record(what, tool, seconds, bytes) {
  const key = `${what}\0${tool}`;
  const rows = timings.get(key) ?? { seconds: [], bytes: [] };
  rows.seconds.push(seconds);
  if (bytes !== undefined) rows.bytes.push(bytes);
  timings.set(key, rows);
}

async function timed(work) {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

async function sizeOf(folder) {
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await stat(path.join(entry.parentPath, entry.name))).size;
  }
  return size;
}

/** Overwrites a share of the 8 KiB blocks of the files of 1 MiB and more with random bytes, in place. */
async function changeInPlace(folder, share) {
  const page = Buffer.alloc(8192);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size } = await stat(file);
    if (size < 1 << 20) continue;
    const handle = await open(file, 'r+');
    for (let offset = 0; offset + 8192 <= size; offset += 8192) {
      if (Math.random() >= share) continue;
      await handle.write(randomFillSync(page), 0, 8192, offset);
    }
    await handle.close();
  }
}

function restic(repository, ...args) {
  const env = { ...process.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: 'benchmark' };
  const result = spawnSync('restic', ['--no-cache', '-q', ...args], { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`restic ${args.join(' ')}: ${result.stderr}`);
}

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
    restic(other, 'init');
    let before = 0;
    let beforeOther = await sizeOf(other);
    const both = async (what, type) => {
      record(
        what,
        'catena',
        await timed(() => run('requestBackup', { ...name, type, copyOnly: false })),
        -before + (before = await sizeOf(vault)),
      );
      record(
        what,
        'restic',
        await timed(() => restic(other, 'backup', source)),
        -beforeOther + (beforeOther = await sizeOf(other)),
      );
    };
    await both('first backup', 'full');
    await both('nothing changed', 'incremental');
    await changeInPlace(source, 0.05);
    await both('5 % of 8 KiB pages changed', 'incremental');

    const restored = path.join(folder, 'restored');
    const newest = await client.log.lastSequence();
    let backup;
    for await (const event of client.log.read({ types: ['backup.completed'], to: newest }))
      if (event.data.source === name.source) backup = event.aggregate.id;
    record(
      'restore',
      'catena',
      await timed(() =>
        run('requestRestore', {
          repository: name.repository,
          backup,
          target: restored,
          include: [],
          overwrite: false,
        }),
      ),
    );
    await rm(restored, { recursive: true });
    record('restore', 'restic', await timed(() => restic(other, 'restore', 'latest', '--target', restored)));
    await rm(restored, { recursive: true });
    record(
      'read everything back',
      'catena',
      await timed(() => run('requestVerify', { repository: name.repository, depth: 'checksums' })),
    );
    record('read everything back', 'restic', await timed(() => restic(other, 'check', '--read-data')));

    await mkdir(restored);
    record('first backup', 'cp -a', await timed(() => execFileSync('cp', ['-a', source, restored])));
    await rm(restored, { recursive: true });
    await rm(vault, { recursive: true });
    await rm(other, { recursive: true });
  }

  console.log('\n| step | tool | seconds (median) | of restic | added MB |\n| --- | --- | --- | --- | --- |');
  for (const [key, { seconds, bytes }] of timings) {
    const [what, tool] = key.split('\0');
    const reference = timings.get(`${what}\0restic`)?.seconds;
    const ratio = reference ? (median(seconds) / median(reference)).toFixed(2) : '-';
    console.log(
      `| ${what} | ${tool} | ${median(seconds).toFixed(2)} [${Math.min(...seconds).toFixed(2)}–${Math.max(...seconds).toFixed(2)}] | ${ratio} | ${bytes.length > 0 ? (median(bytes) / 1e6).toFixed(0) : '-'} |`,
    );
  }
  console.log(`\npeak memory of the mover: ${peak().toFixed(0)} MiB`);
}, values.work);
