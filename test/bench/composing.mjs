/**
 * What a long chain costs at restore, with and without composing, and what an incremental writes of maps and entries.
 *
 *   node test/bench/composing.mjs build --work DIR [--megabytes 400] [--incrementals 100] [--percent 1]
 *   node test/bench/composing.mjs measure --work DIR [--rounds 3]
 *
 * `build` makes files of which half is random and half is text, backs them up, changes so many of their 8 KiB pages at
 * random places and backs up again, and so on. `measure` restores the full and the newest incremental, composes a full of the
 * newest, restores that, and backs up to it once more with nothing changed. Every step is a process of its own, encrypted,
 * with the page cache warm and what was written before synced; rounds alternate and the median counts.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sourceDrivers } from '@catena/sources';
import { initialiseRepository, newKeyFile, openRepository, parseKeyFile } from '@catena/vault';
import { median } from './platform.mjs';

const PAGE = 8192;
const FILES = 8;
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    work: { type: 'string' },
    megabytes: { type: 'string', default: '400' },
    incrementals: { type: 'string', default: '100' },
    percent: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    backup: { type: 'string' },
    from: { type: 'string' },
  },
});
const [step] = positionals;
if (!values.work) throw new Error('Name a folder to work in: --work DIR.');
const at = (name) => path.join(values.work, name);
const driver = sourceDrivers.get('files');

/** Numbers that come again with the same seed. */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WORDS = 'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november'.split(
  ' ',
);

function fill(page, next, isText) {
  if (!isText) {
    for (let i = 0; i < PAGE; i += 4) page.writeUInt32LE((next() * 2 ** 32) >>> 0, i);
    return page;
  }
  let text = '';
  while (text.length < PAGE)
    text += `${WORDS[Math.floor(next() * WORDS.length)]} ${Math.floor(next() * 1e6)}\n`;
  page.write(text.slice(0, PAGE), 'latin1');
  return page;
}

function changePages(count, pagesPerFile, next) {
  const files = Array.from({ length: FILES }, (_, i) => openSync(at(`source/file-${i}.db`), 'r+'));
  const page = Buffer.alloc(PAGE);
  for (let i = 0; i < count; i++) {
    const file = Math.floor(next() * FILES);
    const place = Math.floor(next() * pagesPerFile) * PAGE;
    writeSync(files[file], fill(page, next, file % 2 === 0), 0, PAGE, place);
  }
  for (const file of files) closeSync(file);
}

const keys = () => [parseKeyFile(readFileSync(at('key'), 'utf8'))];
const open = async () => openRepository(at('repository'), { keys: keys() });

async function backup(collection, id, parent) {
  const writer = await collection.beginBackup({
    backupId: id,
    run: `run-${id}`,
    attempt: 1,
    type: parent === undefined ? 'full' : 'incremental',
    ...(parent === undefined ? {} : { parent }),
    startedAt: new Date(),
    source: { name: 's', uid: 's', family: 'f', driver: 'files' },
  });
  const { summary } = await driver.backup({ path: at('source') }, writer);
  return (await writer.finish(summary)).manifest;
}

async function build() {
  mkdirSync(at('source'), { recursive: true });
  writeFileSync(at('key'), newKeyFile());
  const next = chance(7);
  const pagesPerFile = Math.floor((Number(values.megabytes) * 1e6) / PAGE / FILES);
  const page = Buffer.alloc(PAGE);
  for (let i = 0; i < FILES; i++) {
    const file = openSync(at(`source/file-${i}.db`), 'w');
    for (let at = 0; at < pagesPerFile; at++)
      writeSync(file, fill(page, next, i % 2 === 0), 0, PAGE, at * PAGE);
    closeSync(file);
  }
  const repository = await initialiseRepository(at('repository'), { keys: keys(), installation: 'bench' });
  const collection = repository.collection('c');
  await backup(collection, 'full');
  const maps = [];
  let bytes = 0;
  for (let i = 1; i <= Number(values.incrementals); i++) {
    changePages(Math.round((pagesPerFile * FILES * Number(values.percent)) / 100), pagesPerFile, next);
    const { statistics } = await backup(collection, `i${i}`, i === 1 ? 'full' : `i${i - 1}`);
    maps.push(statistics.bytesOfMaps);
    bytes = statistics.bytes;
  }
  await repository.close();
  const { megabytes, incrementals, percent } = values;
  writeFileSync(at('chain.json'), JSON.stringify({ megabytes, incrementals, percent, maps, bytes }));
}

/** One step in a process of its own; what it used is its answer. */
async function work() {
  const repository = await open();
  const collection = repository.collection('c');
  const begun = performance.now();
  let more = {};
  if (step === 'restore') {
    const reader = await collection.openBackup(values.backup);
    await driver.restore(reader, at('target'), { run: `restore-${values.backup}` });
  } else if (step === 'compose') {
    const plan = { backupId: values.backup, run: `run-${values.backup}`, attempt: 1, from: values.from };
    const { manifest } = await collection.compose({ ...plan, startedAt: new Date() });
    more = { stored: manifest.statistics.bytesStored };
  } else {
    const { statistics } = await backup(collection, values.backup, values.from);
    more = { stored: statistics.bytesStored, read: statistics.bytesRead };
  }
  const seconds = (performance.now() - begun) / 1000;
  await repository.close();
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cpu = (userCPUTime + systemCPUTime) / 1e6;
  console.log(JSON.stringify({ seconds, cpu, megabytes: maxRSS / 1024, ...more }));
}

function run(name, ...args) {
  rmSync(at('target'), { recursive: true, force: true });
  spawnSync('sync');
  const program = fileURLToPath(import.meta.url);
  const result = spawnSync(process.execPath, [program, name, '--work', values.work, ...args], {
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout);
}

function measure() {
  const { incrementals, maps, bytes, ...rest } = JSON.parse(readFileSync(at('chain.json'), 'utf8'));
  const newest = `i${incrementals}`;
  const rows = new Map();
  const record = (what, result) => rows.set(what, [...(rows.get(what) ?? []), result]);
  const suffix = Date.now();
  for (let round = 0; round < Number(values.rounds); round++) {
    record('restore of the full', run('restore', '--backup', 'full'));
    record(`restore of the newest incremental`, run('restore', '--backup', newest));
    const composed = `composed-${suffix}-${round}`;
    record('composing a full of it', run('compose', '--backup', composed, '--from', newest));
    record('restore of the composed full', run('restore', '--backup', composed));
    record(
      'incremental after it, nothing changed',
      run('again', '--backup', `a-${composed}`, '--from', composed),
    );
  }
  rmSync(at('target'), { recursive: true, force: true });
  const full = median(rows.get('restore of the full').map(({ seconds }) => seconds));
  const share = (number) => `${((100 * number) / bytes).toFixed(2)} %`;
  console.log({ ...rest, incrementals, bytes });
  console.log(
    `maps and entries per incremental: ${share(median(maps))} of the source, at most ${share(Math.max(...maps))}`,
  );
  console.log('| step | seconds | × restore of the full | CPU s | peak MiB | stored |');
  for (const [what, all] of rows) {
    const of = (name) => median(all.map((one) => one[name]));
    const stored = all[0].stored === undefined ? '' : all[0].stored;
    console.log(
      `| ${what} | ${of('seconds').toFixed(1)} | ${(of('seconds') / full).toFixed(2)} | ${of('cpu').toFixed(1)} | ${of('megabytes').toFixed(0)} | ${stored} |`,
    );
  }
}

if (step === 'build') await build();
else if (step === 'measure') {
  if (!existsSync(at('chain.json'))) throw new Error('Build the chain first.');
  measure();
} else await work();
