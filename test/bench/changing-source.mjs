/** A file tree whose 8 KiB pages change at random places, for benchmarks of long chains. */
import { createHash, randomFillSync, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

const PAGE = 8192;

/** Makes files of 8 MiB, half of them random and half compressible. */
export async function makeSource(folder, megabytes) {
  await mkdir(folder);
  const file = Buffer.alloc(8 * 1024 * 1024);
  for (let i = 0; i < megabytes / 8; i++) {
    if (i % 2 === 0) randomFillSync(file);
    else for (let at = 0; at < file.length; at += 32) file.write(`row ${i} ${at} of a table `.padEnd(32), at);
    await writeFile(path.join(folder, `${i}.db`), file);
  }
}

/** The files of at least 1 MiB, and how many pages they have. */
export async function pagesOf(folder) {
  const files = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size } = await stat(file);
    if (size >= 1 << 20) files.push({ file, pages: Math.floor(size / PAGE) });
  }
  return files;
}

/**
 * Overwrites a share of the pages in place. What a page gets comes from elsewhere in its file, shifted, with some random
 * bytes: it is new, and compresses as the file does.
 * @returns the files that were changed, and in each the numbers of the pages in ascending order
 */
export async function change(files, share) {
  const page = Buffer.alloc(PAGE);
  const changed = new Map();
  for (const { file, pages } of files) {
    const wanted = pages * share;
    const count = Math.floor(wanted) + (Math.random() < wanted % 1 ? 1 : 0);
    if (count === 0) continue;
    const numbers = new Set();
    const handle = await open(file, 'r+');
    for (let i = 0; i < count; i++) {
      const number = randomInt(pages);
      await handle.read(page, 0, PAGE, pages < 2 ? 0 : randomInt((pages - 1) * PAGE));
      randomFillSync(page, randomInt(PAGE - 64), 64);
      await handle.write(page, 0, PAGE, number * PAGE);
      numbers.add(number);
    }
    await handle.close();
    changed.set(
      file,
      [...numbers].sort((a, b) => a - b),
    );
  }
  return changed;
}

/** The changed pages of a file, as a backup that knows what has changed takes them. */
export async function* changedRuns(file, numbers) {
  const handle = await open(file);
  try {
    for (const number of numbers) {
      const { buffer } = await handle.read(Buffer.alloc(PAGE), 0, PAGE, number * PAGE);
      yield { offset: BigInt(number * PAGE), bytes: buffer };
    }
  } finally {
    await handle.close();
  }
}

/** SHA-256 over the names and the contents of all files. */
export async function digest(folder) {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const file = path.join(folder, name);
    if ((await stat(file)).isFile()) hash.update(name).update(readFileSync(file));
  }
  return hash.digest('hex');
}
