import { execFile } from 'node:child_process';
import {
  appendFile,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { CatenaError } from '@catena/events';

const run = promisify(execFile);
const workspace = fileURLToPath(new URL('../../../..', import.meta.url));

async function trackedFiles(): Promise<string[]> {
  try {
    const { stdout } = await run('git', ['ls-files', '-z'], { cwd: workspace, maxBuffer: 64 * 1024 * 1024 });
    return stdout.split('\0').filter((name) => name !== '');
  } catch (cause) {
    throw new CatenaError(
      'quickstart.no-sample',
      `The files that git tracks in ${workspace} cannot be listed.`,
      {
        remedy: 'Run the quickstart in a git clone of the project.',
        cause,
      },
    );
  }
}

/** Copies the project's own tracked files to a folder, once: what the quickstart protects. */
export async function prepareSampleSource(folder: string): Promise<{ files: number; fresh: boolean }> {
  const there = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (there !== undefined) return { files: there.length, fresh: false };
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const names = await trackedFiles();
  for (const name of names) {
    const from = path.join(workspace, name);
    const to = path.join(unfinished, name);
    const status = await lstat(from).catch((error: unknown) => {
      // Tracked, but deleted in this clone and not committed yet.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (!status) continue;
    await mkdir(path.dirname(to), { recursive: true });
    if (status.isSymbolicLink()) await symlink(await readlink(from), to);
    else if (status.isFile()) await copyFile(from, to);
  }
  await rename(unfinished, folder);
  return { files: names.length, fresh: true };
}

/** Changes a few files as people do: one grows, one is new, one moves, one goes. */
export async function editSampleSource(folder: string, edit: number): Promise<string[]> {
  const stamp = new Date().toISOString();
  const notes = path.join(folder, 'notes');
  await mkdir(notes, { recursive: true });
  await appendFile(path.join(folder, 'README.md'), `\nEdited by the quickstart at ${stamp}.\n`);
  await writeFile(
    path.join(notes, `note-${edit}-${Date.now()}.txt`),
    `Edit ${edit} at ${stamp}\n`.repeat(200),
  );
  const changes = ['README.md grew', `notes/note-${edit}-… is new`];
  const old = (await readdir(notes))
    .filter((name) => name.startsWith(`note-${edit}-`))
    .sort()
    .slice(0, -1);
  for (const name of old) await rm(path.join(notes, name));
  if (old.length > 0) changes.push(`${old.length} older notes are gone`);
  return changes;
}
