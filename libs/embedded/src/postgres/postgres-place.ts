import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedError, reasonOf } from '../embedded-error.ts';
import type { HomeLayout } from '../home/home-layout.ts';
import { writeWhole } from '../write-whole.ts';
import { makeOpenFolder } from './open-folder.ts';
import { canUserEnter, lookUpUser, type SystemUser } from './system-user.ts';

/** Where PostgreSQL's programs and data go when root starts it from a folder that no other user can enter. */
export const SHARED_FOLDER = '/var/lib/catena';

/** Where a home's cluster lies and whom it belongs to. */
export interface PostgresPlace {
  /** Holds `data` and `config`. */
  folder: string;
  /** Whom the server runs as; undefined: as whoever we are. */
  runAs: SystemUser | undefined;
}

/**
 * Decides where a home's cluster lies: in the home, or, when the user that PostgreSQL is dropped to cannot get there,
 * in a folder of its own below `sharedFolder`. Then `postgres/location.json` in the home names it, and a `home.json` there
 * names the home. What was decided once stays. An existing cluster runs as its owner.
 * Throws embedded.postgres-place-taken, embedded.postgres-place-unreachable or embedded.home-not-usable.
 */
export async function postgresPlace(
  layout: HomeLayout,
  dropTo: SystemUser | undefined,
  sharedFolder: string = SHARED_FOLDER,
): Promise<PostgresPlace> {
  await mkdir(layout.postgres, { recursive: true });
  await chmod(layout.postgres, dropTo ? 0o711 : 0o700);
  const named = await namedElsewhere(layout);
  if (named !== undefined) return elsewhere(layout, dropTo, named);
  if (await exists(path.join(layout.postgres, 'data'))) {
    const runAs = await ownerOf(path.join(layout.postgres, 'data'), dropTo);
    if (await canUserEnter(layout.postgres, runAs)) return { folder: layout.postgres, runAs };
    throw new EmbeddedError(
      'embedded.postgres-place-unreachable',
      `PostgreSQL runs as ${runAs?.name ?? 'you'}, who cannot enter ${layout.postgres}, where its data lies`,
      `Let that user through (chmod o+x on the folders above it), or delete ${layout.postgres}: what it holds is built again from the log.`,
      { folder: layout.postgres, user: runAs?.name },
    );
  }
  if (await canUserEnter(layout.postgres, dropTo)) return { folder: layout.postgres, runAs: dropTo };
  const key = createHash('sha256')
    .update(await realpath(layout.home))
    .digest('hex')
    .slice(0, 16);
  return elsewhere(layout, dropTo, path.join(sharedFolder, key));
}

async function elsewhere(
  layout: HomeLayout,
  dropTo: SystemUser | undefined,
  folder: string,
): Promise<PostgresPlace> {
  const home = await realpath(layout.home);
  const owner = await readJson<{ home: string }>(path.join(folder, 'home.json'));
  if (owner && owner.home !== home && (await exists(path.join(owner.home, 'postgres', 'location.json')))) {
    throw new EmbeddedError(
      'embedded.postgres-place-taken',
      `${folder} holds the PostgreSQL data of another data folder, ${owner.home}; ${home} looks like a copy of it`,
      `Delete ${locationFile(layout)} to start this one with an empty database; what it holds is built again from the log.`,
      { folder, home, owner: owner.home },
    );
  }
  try {
    await makeOpenFolder(folder, 0o711);
    await chmod(folder, 0o711);
    writeWhole(path.join(folder, 'home.json'), `${JSON.stringify({ home })}\n`, 0o644);
  } catch (error) {
    throw unreachable(layout, folder, dropTo, reasonOf(error));
  }
  if (!(await canUserEnter(folder, dropTo)))
    throw unreachable(layout, folder, dropTo, 'that user cannot enter it');
  const location = {
    folder,
    reason: `PostgreSQL runs as ${dropTo?.name ?? 'another user'}, who cannot enter ${layout.postgres}`,
    deleting: `With ${layout.home} delete ${folder}, too. Its content can be built again from the event log.`,
  };
  writeWhole(locationFile(layout), `${JSON.stringify(location, undefined, 2)}\n`, 0o644);
  const runAs = (await exists(path.join(folder, 'data')))
    ? await ownerOf(path.join(folder, 'data'), dropTo)
    : dropTo;
  return { folder, runAs };
}

function unreachable(
  layout: HomeLayout,
  folder: string,
  user: SystemUser | undefined,
  reason: string,
): EmbeddedError {
  return new EmbeddedError(
    'embedded.postgres-place-unreachable',
    `PostgreSQL runs as ${user?.name ?? 'you'}, who cannot enter ${layout.postgres}, and ${folder} cannot be used instead (${reason})`,
    'Set CATENA_HOME to a folder that other users can enter, start as a normal user, or name a server with CATENA_DATABASE_URL.',
    { folder, user: user?.name },
  );
}

async function ownerOf(dataDir: string, dropTo: SystemUser | undefined): Promise<SystemUser | undefined> {
  const { uid } = await stat(dataDir);
  if (uid === process.getuid?.()) return undefined;
  if (uid === dropTo?.uid) return dropTo;
  const owner = process.getuid?.() === 0 ? await lookUpUser(String(uid)) : undefined;
  if (owner) return owner;
  throw new EmbeddedError(
    'embedded.home-not-usable',
    `The PostgreSQL data in ${dataDir} belongs to another user (uid ${uid})`,
    'Start as the user who started it before, or set CATENA_HOME to a folder of your own.',
    { dataDir, uid },
  );
}

async function namedElsewhere(layout: HomeLayout): Promise<string | undefined> {
  return (await readJson<{ folder: string }>(locationFile(layout)))?.folder;
}

function locationFile(layout: HomeLayout): string {
  return path.join(layout.postgres, 'location.json');
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
