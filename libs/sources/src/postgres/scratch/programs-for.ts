/** Server programs for a restored data folder. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ownerOf } from './server-process.ts';

/**
 * A folder with programs of the data folder's major version that its owner can run.
 * @param bin the folder to use, when a person named one
 * @throws EmbeddedError `embedded.postgres-not-found`, which says where was looked.
 */
export async function programsFor(folder: string, bin: string | undefined): Promise<string> {
  const major = Number((await readFile(path.join(folder, 'PG_VERSION'), 'utf8')).trim());
  const owner = await ownerOf(folder);
  // Only a restore that starts a server needs to know about servers of this machine.
  const { findProgramsOfMajor } = await import('@catena/embedded');
  return await findProgramsOfMajor({
    major,
    bin,
    ...(owner === undefined ? {} : { user: { ...owner, name: `the account ${owner.uid}` } }),
  });
}
