/**
 * The folders above a restored cluster. A server runs as whoever owns its data, and root's umask is often one that shuts others out of
 * what root makes: then the server would not reach its own.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { BackupReader } from '@catena/vault';
import { Metadata } from '../../files/restoring/metadata.ts';
import { RestoreWarnings } from '../../files/restoring/restore-warnings.ts';
import { RestoreError } from '../../port/restore-error.ts';
import type { RestoreOptions } from '../../port/source-driver.ts';

/** Everybody gets through, and nobody sees what is in it. */
const PASSABLE = 0o711;

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Whom the cluster will belong to; undefined when that is who restores. */
export async function accountOf(
  reader: BackupReader,
  { ownership }: Pick<RestoreOptions, 'ownership'>,
): Promise<Account | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const entry = await reader.find(Buffer.from('PG_VERSION'));
  if (entry === undefined) return undefined;
  const account = new Metadata(ownership, new RestoreWarnings()).ownerOf(entry);
  return account.uid === 0 ? undefined : account;
}

/**
 * Makes the folders above a place that are missing, so that everybody gets through.
 * @returns those that were made, outermost first
 */
export function makeWay(place: string): string[] {
  const folder = path.dirname(place);
  if (existsSync(folder)) return [];
  const made = makeWay(folder);
  try {
    mkdirSync(folder);
  } catch {
    // Whoever comes to put something there finds the same in the way, and says so.
    return made;
  }
  chmodSync(folder, PASSABLE);
  return [...made, folder];
}

/**
 * Refuses places that an account cannot get to, through what is there of the way.
 * @throws RestoreError `restore.targetNotUsable`, which names the folder that shuts it out
 */
export function refuseClosedWay(account: Account | undefined, places: readonly string[]): void {
  if (account === undefined) return;
  for (const place of places) {
    const way = wayTo(path.resolve(place));
    // Mostly all of it is open.
    if (canEnter(account, way.at(-1) ?? '/')) continue;
    const closed = way.find((folder) => !canEnter(account, folder)) ?? place;
    throw new RestoreError(
      'restore.targetNotUsable',
      `The server of the restored cluster runs as the account ${account.uid}, which does not get through '${closed}' to '${place}'.`,
      {
        remedy: `Let it through (chmod o+x '${closed}'), or restore to another place.`,
        details: { target: place, folder: closed },
      },
    );
  }
}

/** The folders above a place that are there, outermost first. */
function wayTo(place: string): string[] {
  const above = path.dirname(place);
  if (above === place) return [place];
  return existsSync(above) ? [...wayTo(above), above] : wayTo(above);
}

/** Asked of the system as the server will ask it: access lists and the like count too. Where it cannot be asked, nothing is in the way. */
function canEnter({ uid, gid }: Account, folder: string): boolean {
  const ask = ['-c', 'cd -- "$1"', 'sh', folder];
  const { status, error } = spawnSync('/bin/sh', ask, { uid, gid, cwd: '/' });
  return error !== undefined || status === 0;
}
