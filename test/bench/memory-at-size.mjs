/**
 * How the memory of the services grows with what is backed up: large files, very many files, one very large file.
 *
 *   node test/bench/memory-at-size.mjs --large 1 --each 20480               # one file of 20 GiB
 *   node test/bench/memory-at-size.mjs --large 2000 --each 10 --small 200000  # 21 GB in 202 000 files
 *   node test/bench/memory-at-size.mjs --small 1000000                      # a million small files
 *                                           [--work DIR]
 *
 * Makes so many files of so many MiB (`--large`, `--each`), and so many of 0.5 to 8 KiB (`--small`), of text that compresses
 * and of which no page is like another, and has a platform with its services back them up: a full, an incremental
 * when nothing has changed, one after a twentieth of the large files' 8 KiB pages was overwritten, a verification, and a restore of that,
 * for which the source is removed first, so that the disk need not hold the set twice. One mover does it all. Every
 * row: seconds, CPU seconds of the mover, its resident memory at a tenth, at half and at the end of the step, and the most
 * it was in the step (the kernel's count, set back before each); the most of the chain catalog beside it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, open, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { schedulerRequests } from '@catena/events';
import { apply, command, withPlatform } from './platform.mjs';

const { values } = parseArgs({
  options: {
    large: { type: 'string', default: '0' },
    each: { type: 'string', default: '10' },
    small: { type: 'string', default: '0' },
    work: { type: 'string', default: '/var/tmp' },
  },
});
const [large, each, small] = [values.large, values.each, values.small].map(Number);
if (large + small === 0) throw new Error('Say how many files: --large N --each MIB, --small N.');
const MiB = 1 << 20;
const PAGE = 8192;
const PER_FOLDER = 500;

/** Text as programs write it into logs; what each line begins with makes every page different from all others. */
const text = Buffer.alloc(16 * MiB);
const LINE = 128;
for (let at = 0; at < text.length; at += LINE)
  text.write(
    `${''.padStart(17)}worker-${(at * 7919) % 97} has done ${((at * 104729) % 999983).toString(36)} of ${at % 13}, went on after a while\n`.padEnd(
      LINE,
    ),
    at,
  );
let stamp = 0;
function stamped(buffer) {
  stamp += 1;
  for (let at = 0; at + LINE <= buffer.length; at += PAGE / 4)
    buffer.write(`${stamp}.${at}`.padEnd(16), at, 'latin1');
  return buffer;
}

const largeName = (folder, number) => path.join(folder, `large-${String(number).padStart(5, '0')}.log`);

async function makeSource(folder) {
  await mkdir(folder);
  for (let number = 0; number < large; number++) {
    const file = await open(largeName(folder, number), 'w');
    for (let written = 0; written < each; written += 16)
      await file.write(stamped(text).subarray(0, Math.min(16, each - written) * MiB));
    await file.close();
  }
  const piece = Buffer.alloc(PAGE);
  for (let number = 0; number < small; number++) {
    const inside = path.join(folder, `folder-${String(Math.floor(number / PER_FOLDER)).padStart(5, '0')}`);
    if (number % PER_FOLDER === 0) await mkdir(inside);
    text.copy(piece, 0, (number * 512) % MiB);
    writeFileSync(
      path.join(inside, `${number}.txt`),
      stamped(piece).subarray(0, 512 + ((number * 7919) % 7680)),
    );
  }
}

/** Overwrites a twentieth of the pages of the large files, here and there. */
async function change(folder) {
  const page = Buffer.alloc(PAGE);
  for (let number = 0; number < large; number++) {
    const file = await open(largeName(folder, number), 'r+');
    for (let at = 0; at < each * MiB; at += PAGE) {
      if (Math.random() >= 0.05) continue;
      text.copy(page, 0, at % MiB);
      await file.write(stamped(page), 0, PAGE, at);
    }
    await file.close();
  }
}

const statusOf = (pid, field) =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Lets the kernel count the most resident memory of a process from now on. */
const countAnew = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** Resident memory of a process in MiB while some work is done, looked at ten times a second. */
async function watched(pid, work) {
  const seen = [];
  const timer = setInterval(() => seen.push(statusOf(pid, 'VmRSS')), 100);
  const [begun, cpu] = [performance.now(), cpuSeconds(pid)];
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const at = (share) => seen[Math.min(seen.length - 1, Math.floor(seen.length * share))] ?? 0;
  return {
    seconds: (performance.now() - begun) / 1000,
    cpu: cpuSeconds(pid) - cpu,
    tenth: at(0.1),
    half: at(0.5),
    end: at(1),
    most: statusOf(pid, 'VmHWM'),
  };
}

const { bavail, bsize } = await statfs(values.work);
const needed = large * each * MiB + small * PAGE;
if (bavail * bsize < needed * 1.5)
  throw new Error(
    `${values.work} has ${bavail * bsize} bytes free, and ${needed * 1.5} are needed: name another folder with --work.`,
  );

await withPlatform(async ({ folder, client, platform }) => {
  const source = path.join(folder, 'source');
  const begun = performance.now();
  await makeSource(source);
  console.log(
    `${large} files of ${each} MiB and ${small} small ones, made in ${((performance.now() - begun) / 1000).toFixed(0)} s\n`,
  );
  await writeFile(path.join(folder, 'passphrase'), 'benchmark\n');
  await apply(
    client,
    `apiVersion: catena/v1
kind: Source
metadata: {name: set}
spec: {driver: files, files: {path: ${source}}}
---
apiVersion: catena/v1
kind: Repository
metadata: {name: vault}
spec: {store: fs, fs: {path: ${folder}/vault}, encryption: {keys: [{passphrase: {file: ${folder}/passphrase}}]}}
`,
  );
  const run = async (kind, input) => {
    const { run: id } = await client.ask(schedulerRequests[kind], { ...command(), ...input });
    const outcome = await client.followRun(id, { signal: AbortSignal.timeout(3_600_000) });
    if (outcome.state !== 'completed')
      throw new Error(
        `${kind} ended ${outcome.state}: ${JSON.stringify(outcome.failure ?? outcome.event.data)}`,
      );
    return outcome.event.data;
  };
  const backUp = (type) =>
    run('requestBackup', { source: 'set', repository: 'vault', type, copyOnly: false });
  console.log('| step | s | CPU s | MiB at a tenth | at half | at the end | at most | catalog at most |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  const step = async (what, work) => {
    const { pid } = platform.supervisor.child('mover-1');
    const { pid: catalog } = platform.supervisor.child('chain-catalog-1');
    for (const one of [pid, catalog]) countAnew(one);
    const { seconds, cpu, ...memory } = await watched(pid, work);
    const MiBs = [memory.tenth, memory.half, memory.end, memory.most, statusOf(catalog, 'VmHWM')];
    console.log(
      `| ${what} | ${seconds.toFixed(1)} | ${cpu.toFixed(1)} | ${MiBs.map((one) => one.toFixed(0)).join(' | ')} |`,
    );
  };
  await step('first backup', () => backUp('full'));
  await step('nothing changed', () => backUp('incremental'));
  let newest;
  if (large > 0) await change(source);
  await step(large > 0 ? '5 % of 8 KiB pages changed' : 'nothing changed again', async () => {
    newest = (await backUp('incremental')).backup;
  });
  await step('verify', () => run('requestVerify', { repository: 'vault', depth: 'checksums' }));
  await rm(source, { recursive: true });
  await step('restore', () =>
    run('requestRestore', {
      repository: 'vault',
      backup: newest,
      target: path.join(folder, 'restored'),
      include: [],
      overwrite: false,
    }),
  );
}, values.work);
