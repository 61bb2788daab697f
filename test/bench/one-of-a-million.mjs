/**
 * One file out of a million: what it takes to look into a backup of very many files, beside restic.
 *
 *   node test/bench/one-of-a-million.mjs --work DIR [--files 1000000] [--rounds 5] [--keep]
 *
 * Makes a tree of small files (a thousand in a folder, one in a hundred with something in it) and backs it up with restic
 * and into a vault; what is in DIR already is used again. Then each question is asked by whole processes, in turn, and the
 * median of their wall time and of their CPU seconds counts. Both open their repository with a passphrase; restic has its
 * cache, warm. The page cache is warm for both.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { comparePaths, initialiseRepository } from '@catena/vault';

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    files: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    keep: { type: 'boolean', default: false },
    build: { type: 'boolean', default: false },
  },
});
if (!values.work) throw new Error('Name a folder to work in: --work DIR.');
const work = path.resolve(values.work);
const files = Number(values.files);
const PER_FOLDER = 1000;
const WITH_CONTENT = 100;
const at = (name) => path.join(work, name);
const program = fileURLToPath(new URL('../../apps/cli/bin/catena.mjs', import.meta.url));

const folderOf = (number) => `folder-${String(Math.floor(number / PER_FOLDER)).padStart(5, '0')}`;
const pathOf = (number) => `${folderOf(number)}/file-${String(number).padStart(7, '0')}.txt`;
const contentOf = (number) => (number % WITH_CONTENT === 0 ? `the content of file ${number}\n` : '');

/** Makes something under another name first, so that what was broken off is made again. */
async function once(name, make) {
  if (existsSync(at(name))) return;
  const unfinished = at(`${name}.unfinished`);
  await rm(unfinished, { recursive: true, force: true });
  const begun = performance.now();
  await make(unfinished);
  await rename(unfinished, at(name));
  console.log(`${name} made in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
}

async function makeTree(folder) {
  for (let first = 0; first < files; first += PER_FOLDER) {
    await mkdir(path.join(folder, folderOf(first)), { recursive: true });
    for (let number = first; number < Math.min(files, first + PER_FOLDER); number++) {
      const file = await open(path.join(folder, pathOf(number)), 'w');
      const content = contentOf(number);
      if (content !== '') await file.write(content);
      await file.close();
    }
  }
}

/** What a driver would find in the tree, in canonical order. */
function* entries() {
  const entry = (name, kind, number, size) => ({
    path: Buffer.from(name),
    kind,
    mode: kind === 'folder' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    user: 'root',
    group: 'root',
    mtime: 1_790_000_000_000_000_000n + BigInt(number) * 1_000_003n,
    ctime: 1_790_000_000_000_000_000n + BigInt(number) * 1_000_003n,
    inode: BigInt(number + 12),
    device: 64769n,
    size: BigInt(size),
  });
  yield entry('', 'folder', 0, 0);
  for (let number = 0; number < files; number++) {
    if (number % PER_FOLDER === 0) yield entry(folderOf(number), 'folder', number, 0);
    yield entry(pathOf(number), 'file', number, contentOf(number).length);
  }
}

async function makeVault(folder) {
  const keys = [{ kind: 'passphrase', passphrase: 'benchmark', name: 'benchmark' }];
  const repository = await initialiseRepository(folder, { installation: 'benchmark', keys });
  const writer = await repository.collection('million').beginBackup({
    backupId: 'million',
    run: 'run-million',
    attempt: 1,
    type: 'full',
    source: { name: 'million', uid: 'million', family: 'million', driver: 'files' },
    startedAt: new Date(),
  });
  let before;
  let number = 0;
  let adding = [];
  for (const entry of entries()) {
    if (before !== undefined && comparePaths(before, entry.path) >= 0) throw new Error('out of order');
    before = entry.path;
    const content = Buffer.from(entry.kind === 'file' ? contentOf(number++) : '');
    const read = {
      sizeHint: entry.size,
      async *open() {
        if (content.length > 0) yield content;
      },
    };
    adding.push(writer.add(entry, entry.kind === 'file' ? { read } : undefined));
    if (adding.length >= 64) {
      await Promise.all(adding);
      adding = [];
    }
  }
  await Promise.all(adding);
  await writer.finish({ position: { end: '1' } });
  await repository.close();
}

const resticEnvironment = {
  RESTIC_PASSWORD: 'benchmark',
  RESTIC_CACHE_DIR: at('restic-cache'),
};

function makeRestic(folder) {
  const env = { ...process.env, ...resticEnvironment, RESTIC_REPOSITORY: folder };
  for (const args of [['init'], ['backup', '.']]) {
    const { status, stderr } = spawnSync('restic', ['-q', ...args], {
      cwd: at('tree'),
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`restic ${args.join(' ')}: ${stderr}`);
  }
}

/** Runs a whole process; wall and CPU seconds as the shell measures them. */
function timed(command, args, expected) {
  const env = {
    ...process.env,
    ...resticEnvironment,
    RESTIC_REPOSITORY: at('restic'),
    TIMEFORMAT: '%R %U %S',
  };
  const script = 'exec 3>&2; time "$@" 2>&3';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', command, ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr}`);
  if (expected !== undefined && !stdout.includes(expected))
    throw new Error(`${command} ${args.join(' ')} did not give "${expected}"`);
  const [wall, user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { wall, cpu: user + system };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

await mkdir(work, { recursive: true });
await once('tree', makeTree);
await once('restic', makeRestic);
await once('vault', makeVault);
if (values.build) process.exit(0);

await writeFile(at('passphrase'), 'benchmark\n');
const wanted = Math.floor((files * 0.617) / WITH_CONTENT) * WITH_CONTENT;
const file = pathOf(wanted);
const opening = ['--repository', at('vault'), '--passphrase-file', at('passphrase')];
const catena = (...args) => [process.execPath, [program, ...args, ...opening]];
const restic = (...args) => ['restic', ['-q', ...args]];
const targets = await mkdtemp(at('targets-'));
let count = 0;
const target = () => path.join(targets, String((count += 1)));

const questions = [
  [
    'start of the program alone',
    () => [process.execPath, [program, 'version']],
    () => ['restic', ['version']],
    undefined,
  ],
  [
    'the bytes of one file',
    () => catena('cat', 'million', file),
    () => restic('dump', 'latest', `/${file}`),
    contentOf(wanted),
  ],
  [
    'restore of one file',
    () => catena('restore', 'million', '--only', file, '--to', target()),
    () => restic('restore', 'latest', '--include', `/${file}`, '--target', target()),
    undefined,
    true,
  ],
  [
    'list of one folder of 1000',
    () => catena('ls', 'million', folderOf(wanted)),
    () => restic('ls', 'latest', `/${folderOf(wanted)}`),
    path.basename(file),
  ],
  [
    'a name anywhere',
    () => catena('find', 'million', path.basename(file)),
    () => restic('find', path.basename(file)),
    path.basename(file),
  ],
];

const figures = questions.map(([question, ours, theirs, expected, restores]) => ({
  restores,
  question,
  ours,
  theirs,
  expected,
  catena: [],
  restic: [],
}));
for (let round = 0; round <= Number(values.rounds); round++)
  for (const one of figures) {
    const pair = { catena: timed(...one.ours(), one.expected), restic: timed(...one.theirs(), one.expected) };
    if (one.restores)
      for (const restored of [count - 1, count])
        if (readFileSync(path.join(targets, String(restored), file), 'utf8') !== contentOf(wanted))
          throw new Error(`${restored} was not restored`);
    console.error(`round ${round}, ${one.question}: ${JSON.stringify(pair)}`);
    // The first round warms the caches of both.
    if (round > 0) for (const tool of ['catena', 'restic']) one[tool].push(pair[tool]);
  }

console.log(`\n${files} files, ${values.rounds} rounds, medians\n`);
console.log(
  '| question | catena s (CPU s) | restic s (CPU s) | of restic | of its CPU |\n| --- | --- | --- | --- | --- |',
);
for (const { question, catena: ours, restic: theirs } of figures) {
  const [wall, cpu, otherWall, otherCpu] = [ours, theirs].flatMap((runs) => [
    median(runs.map((run) => run.wall)),
    median(runs.map((run) => run.cpu)),
  ]);
  const ratio = (a, b) => (a / b).toFixed(2);
  console.log(
    `| ${question} | ${wall.toFixed(2)} (${cpu.toFixed(2)}) | ${otherWall.toFixed(2)} (${otherCpu.toFixed(2)}) | ${ratio(wall, otherWall)} | ${ratio(cpu, otherCpu)} |`,
  );
}
await rm(targets, { recursive: true });
if (!values.keep) await rm(work, { recursive: true });
