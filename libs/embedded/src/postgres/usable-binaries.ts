import { createHash } from 'node:crypto';
import { chmod, cp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { removeLeftovers } from '../leftovers.ts';
import { waitForLock } from '../lock/exclusive-lock.ts';
import { runCommand } from '../process/run-command.ts';
import type { PostgresBinaries } from './find-postgres.ts';
import { makeOpenFolder } from './open-folder.ts';
import type { SystemUser } from './system-user.ts';

const STAGING_PREFIX = '.copy-';

/**
 * A folder with PostgreSQL's programs that the given user can run: the one that was found when it works there, else a
 * copy under `copies` (in a folder the user cannot enter, or installed without its symbolic links, it does not).
 * Copies are made once per version, safely when several processes do it at once.
 */
export async function usableBinaries(
  found: PostgresBinaries,
  user: SystemUser | undefined,
  copies: string,
  onProgress: (message: string) => void = () => undefined,
): Promise<string> {
  if (await runsAs(found.bin, user)) return found.bin;
  const source = found.native ?? path.dirname(found.bin);
  const content = await readFile(path.join(found.bin, 'postgres'));
  const fingerprint = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const target = path.join(copies, `postgresql-${found.version}-${process.arch}-${fingerprint}`);
  const bin = path.join(target, path.relative(source, found.bin));
  if (await runsAs(bin, user)) return bin;

  await makeOpenFolder(copies, 0o755);
  const lock = await waitForLock(path.join(copies, 'copy.lock'), 300_000, () =>
    onProgress('waiting for another process that is copying the PostgreSQL programs'),
  );
  try {
    if (await runsAs(bin, user)) return bin;
    onProgress(`copying the PostgreSQL programs to ${target}`);
    await removeLeftovers(copies, STAGING_PREFIX);
    const staging = path.join(copies, `${STAGING_PREFIX}${process.pid}`);
    await cp(source, staging, { recursive: true, verbatimSymlinks: true });
    await restoreSymlinks(staging);
    for (const program of await readdir(path.join(staging, path.relative(source, found.bin)))) {
      await chmod(path.join(staging, path.relative(source, found.bin), program), 0o755);
    }
    await chmod(staging, 0o755);
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } finally {
    lock.release();
  }
  return bin;
}

async function runsAs(bin: string, user: SystemUser | undefined): Promise<boolean> {
  const options = { cwd: '/', timeoutMs: 10_000, ...(user === undefined ? {} : { user }) };
  const postgres = await runCommand(path.join(bin, 'postgres'), ['--version'], options);
  if (postgres.code !== 0) return false;
  return (await runCommand(path.join(bin, 'initdb'), ['--version'], options)).code === 0;
}

/** npm packages cannot hold symbolic links; the package lists them, and its install script, which may not have run, makes them. */
async function restoreSymlinks(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const place = path.join(native, path.relative('native', link.target));
    const points = path.relative(path.dirname(link.target), link.source);
    await symlink(points, place).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}
