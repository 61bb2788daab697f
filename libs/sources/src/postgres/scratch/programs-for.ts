/** Server programs for a restored data folder. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BackupReader } from '@catena/vault';
import { ownerOf } from './server-process.ts';

/** Whom a server runs as; undefined: as we do. */
type Owner = { readonly uid: number; readonly gid: number } | undefined;

/**
 * A folder with programs of the data folder's major version that its owner can run.
 * @param bin the folder to use, when a person named one
 * @throws EmbeddedError `embedded.postgres-not-found`, which says where was looked.
 */
export async function programsFor(folder: string, bin: string | undefined): Promise<string> {
  const version = await readFile(path.join(folder, 'PG_VERSION'), 'utf8');
  return await programsOf(version, await ownerOf(folder), bin);
}

/**
 * The same for a data folder that is not there yet, so that what cannot be started is refused before it is restored.
 * @throws EmbeddedError `embedded.postgres-not-found`
 */
export async function refuseWithoutPrograms(
  reader: BackupReader,
  owner: Owner,
  bin: string | undefined,
): Promise<void> {
  const entry = await reader.find(Buffer.from('PG_VERSION'));
  if (entry === undefined) return;
  let version = '';
  for await (const piece of reader.content(entry)) version += Buffer.from(piece).toString('utf8');
  await programsOf(version, owner, bin);
}

async function programsOf(version: string, owner: Owner, bin: string | undefined): Promise<string> {
  // Only a restore that starts a server needs to know about servers of this machine.
  const { findProgramsOfMajor } = await import('@catena/embedded');
  return await findProgramsOfMajor({
    major: Number(version.trim()),
    bin,
    ...(owner === undefined ? {} : { user: { ...owner, name: `the account ${owner.uid}` } }),
  });
}
