/**
 * Disk images: full, incremental and restore, beside restic on the same file and beside plain reading and copying.
 *
 *   npx node test/bench/disk-image.mjs [--megabytes 2048] [--rounds 3] [--work DIR]
 *
 * The image is a raw file: a quarter random bytes, a quarter text, half of it holes. The drivers run in this process, on a
 * repository of files that is encrypted; restic as a whole process. Rounds alternate; the best one counts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { imageDriver } from '@catena/sources';
import { initialiseRepository, newKeyFile, parseKeyFile } from '@catena/vault';
import { ownFolder } from './own-folder.mjs';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '2048' },
    rounds: { type: 'string', default: '3' },
    work: { type: 'string', default: '/var/tmp' },
  },
});
const MiB = 1024 * 1024;
const megabytes = Number(values.megabytes);
const { folder: work, remove } = await ownFolder(values.work, 'catena-disk-image-');
const image = path.join(work, 'disk.img');
const best = new Map();

async function timed(what, step) {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const answer = await step();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const known = best.get(what);
  if (!known || seconds < known.seconds)
    best.set(what, { seconds, cpu: (user + system) / 1e6, note: answer ?? '' });
}

function makeImage() {
  const file = openSync(image, 'w');
  const random = Buffer.allocUnsafe(MiB);
  const text = Buffer.alloc(MiB, 'what a disk holds is mostly text, and text is mostly alike; ');
  for (let at = 0; at < megabytes; at += 4) {
    writeSync(file, randomFillSync(random), 0, MiB, at * MiB);
    text.writeUInt32LE(at, 0);
    writeSync(file, text, 0, MiB, (at + 1) * MiB);
  }
  ftruncateSync(file, megabytes * MiB);
  fsyncSync(file);
  closeSync(file);
}

/** Changes one page of 8 KiB in twenty of those that hold data. */
function change() {
  const file = openSync(image, 'r+');
  const page = Buffer.allocUnsafe(8192);
  for (let at = 0; at < megabytes; at += 4) {
    for (let number = 0; number < 13; number += 1) {
      const place = Math.floor(Math.random() * 256);
      writeSync(file, randomFillSync(page), 0, page.length, at * MiB + place * 8192);
    }
  }
  fsyncSync(file);
  closeSync(file);
}

const keys = [parseKeyFile(newKeyFile())];
const restic = ['--quiet', '--repo', path.join(work, 'restic')];
const env = { ...process.env, RESTIC_PASSWORD: 'x' };
const hasRestic = spawnSync('restic', ['version']).status === 0;

function addedByRestic() {
  const { stdout } = spawnSync('du', ['-sb', path.join(work, 'restic')], { encoding: 'utf8' });
  return Number(stdout.split('\t')[0]);
}

try {
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    makeImage();
    rmSync(path.join(work, 'vault'), { recursive: true, force: true });
    rmSync(path.join(work, 'restic'), { recursive: true, force: true });
    const repository = await initialiseRepository(path.join(work, 'vault'), { keys, installation: 'here' });
    const collection = repository.collection('disk');
    const family = await imageDriver.family({ path: image });
    const backUp = async (backupId, more) => {
      const writer = await collection.beginBackup({
        ...{ backupId, run: `run-${backupId}`, attempt: 1, startedAt: new Date(), ...more },
        source: { name: 'disk', uid: 'disk', family, driver: 'image' },
      });
      const { summary } = await imageDriver.backup({ path: image }, writer);
      const { manifest } = await writer.finish(summary);
      return `${Math.round(manifest.statistics.bytesStored / 1e6)} MB stored`;
    };
    const withRestic = async () => {
      const before = addedByRestic();
      execFileSync('restic', [...restic, 'backup', image], { env });
      return `${Math.round((addedByRestic() - before) / 1e6)} MB stored`;
    };
    await timed('floor: reading and SHA-256 of the whole', async () => {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(image, { highWaterMark: MiB })) hash.update(chunk);
    });
    await timed('floor: `cp --sparse=always`', async () => {
      execFileSync('cp', ['--sparse=always', image, path.join(work, 'copy.img')]);
      rmSync(path.join(work, 'copy.img'));
    });
    await timed('first backup', () => backUp('full', { type: 'full' }));
    if (hasRestic) {
      execFileSync('restic', [...restic, 'init'], { env });
      await timed('restic: first backup', withRestic);
    }
    // Longer than the clock of the file system needs to tell the reading from a later change.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await timed('nothing changed', () => backUp('same', { type: 'incremental', parent: 'full' }));
    change();
    await timed('5 % of its pages changed', () => backUp('changed', { type: 'incremental', parent: 'same' }));
    if (hasRestic) await timed('restic: 5 % of its pages changed', withRestic);
    const reader = await collection.openBackup('changed');
    await timed('restore to a file', async () => {
      const { bytesWritten } = await imageDriver.restore(reader, path.join(work, 'restored.img'), {
        run: 'r',
      });
      return `${Math.round(bytesWritten / 1e6)} MB written`;
    });
    execFileSync('cmp', [image, path.join(work, 'restored.img')]);
    rmSync(path.join(work, 'restored.img'));
    if (hasRestic) {
      await timed('restic: restore', async () => {
        execFileSync('restic', [...restic, 'restore', 'latest', '--target', path.join(work, 'restic-out')], {
          env,
        });
      });
      rmSync(path.join(work, 'restic-out'), { recursive: true });
    }
    await reader.close();
    await repository.close();
  }
} finally {
  await remove();
}

console.log('| step | seconds | CPU seconds of this process | |\n| --- | --- | --- | --- |');
for (const [what, { seconds, cpu, note }] of best)
  console.log(`| ${what} | ${seconds.toFixed(1)} | ${cpu.toFixed(1)} | ${note} |`);
