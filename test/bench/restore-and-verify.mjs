/**
 * Restore and full verification beside restic and plain copying, on one data set, in one run.
 *
 *   node test/bench/restore-and-verify.mjs --dataset DIR [--rounds 3] [--work DIR]
 *
 * A full is taken, 5 % of the 8 KiB pages are changed in place, an incremental is taken, and what is timed is the
 * restore and the verification of that. The services run before the clock starts; a job is timed from its request to its
 * completion, restic (Debian's package) as a whole process. Rounds alternate. What was restored is removed only at
 * the end: ext4 is slow to make files for minutes after many were removed. The system's and user's CPU time of the
 * mover (or of restic, or of cp) is given beside the seconds, because it depends less on what else the machine does.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, open, readdir, stat, writeFile } from 'node:fs/promises';
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
const rows = new Map();

function record(what, tool, { seconds, cpu }) {
  const row = rows.get(`${what}\0${tool}`) ?? { seconds: [], cpu: [] };
  row.seconds.push(seconds);
  row.cpu.push(cpu);
  rows.set(`${what}\0${tool}`, row);
  console.log(`${what}, ${tool}: ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU`);
}

/** User and system time in seconds: of a process that runs, or of all children that have ended. */
function cpuSeconds(pid, children = false) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number);
  return (children ? fields[13] + fields[14] : fields[11] + fields[12]) / 100;
}

async function timed(cpuNow, work) {
  const [begun, cpu] = [performance.now(), cpuNow()];
  await work();
  return { seconds: (performance.now() - begun) / 1000, cpu: cpuNow() - cpu };
}

const ofChildren = () => cpuSeconds('self', true);

function restic(repository, ...args) {
  const env = { ...process.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: 'benchmark' };
  const result = spawnSync('restic', ['--no-cache', '-q', ...args], { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`restic ${args.join(' ')}: ${result.stderr}`);
}

async function changeInPlace(folder, share) {
  const page = Buffer.alloc(8192);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size } = await stat(file);
    if (size < 1 << 20) continue;
    const handle = await open(file, 'r+');
    for (let offset = 0; offset + 8192 <= size; offset += 8192)
      if (Math.random() < share) await handle.write(randomFillSync(page), 0, 8192, offset);
    await handle.close();
  }
}

await withPlatform(async ({ folder, client, platform }) => {
  const source = path.join(folder, 'source');
  await cp(values.dataset, source, { recursive: true, preserveTimestamps: true });
  const name = { source: 'set', repository: 'vault' };
  const run = async (kind, input) => {
    const { run: id } = await client.ask(schedulerRequests[kind], { ...command(), ...input });
    const outcome = await client.followRun(id, { signal: AbortSignal.timeout(1_200_000) });
    if (outcome.state !== 'completed') throw new Error(`${kind} ended ${outcome.state}`);
    return outcome.event.data;
  };
  const mover = () => platform.supervisor.child('mover-1').pid;
  const ofMover = () => cpuSeconds(mover());
  const peak = () =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${mover()}/status`, 'utf8'))?.[1]) / 1024;

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
spec: {store: fs, fs: {path: ${folder}/vault}, encryption: {keys: [{passphrase: {file: ${folder}/passphrase}}]}}
`,
  );
  const other = path.join(folder, 'restic');
  restic(other, 'init');
  for (const type of ['full', 'incremental']) {
    await run('requestBackup', { ...name, type, copyOnly: false });
    restic(other, 'backup', source);
    if (type === 'full') await changeInPlace(source, 0.05);
  }
  let backup;
  const to = await client.log.lastSequence();
  for await (const event of client.log.read({ types: ['backup.completed'], to })) backup = event.aggregate.id;
  console.log(`mover after the backups: peak ${peak().toFixed(0)} MiB`);

  for (let round = 1; round <= Number(values.rounds); round++) {
    const target = path.join(folder, `restored${round}`);
    const wanted = { repository: name.repository, backup, target, include: [], overwrite: false };
    record('restore', 'catena', await timed(ofMover, () => run('requestRestore', wanted)));
    record(
      'restore',
      'restic',
      await timed(ofChildren, () => restic(other, 'restore', 'latest', '--target', `${target}r`)),
    );
    record(
      'restore',
      'cp -a',
      await timed(ofChildren, () => execFileSync('cp', ['-a', source, `${target}c`])),
    );
    const check = { repository: name.repository, depth: 'checksums' };
    record('verify', 'catena', await timed(ofMover, () => run('requestVerify', check)));
    record('verify', 'restic', await timed(ofChildren, () => restic(other, 'check', '--read-data')));
  }
  const same = spawnSync('diff', ['-r', source, path.join(folder, 'restored1')]);
  if (same.status !== 0) throw new Error('What was restored is not the source.');

  console.log('\n| what | tool | s | of restic | CPU s | of restic |\n| --- | --- | --- | --- | --- | --- |');
  for (const [key, { seconds, cpu }] of rows) {
    const [what, tool] = key.split('\0');
    const peer = rows.get(`${what}\0restic`);
    const ratio = (own, its) => (tool === 'restic' ? '' : (median(own) / median(its)).toFixed(2));
    const range = `${Math.min(...seconds).toFixed(1)}–${Math.max(...seconds).toFixed(1)}`;
    console.log(
      `| ${what} | ${tool} | ${median(seconds).toFixed(1)} [${range}] | ${ratio(seconds, peer.seconds)} | ${median(cpu).toFixed(1)} | ${ratio(cpu, peer.cpu)} |`,
    );
  }
  console.log(`\npeak memory of the mover, backups included: ${peak().toFixed(0)} MiB`);
}, values.work);
