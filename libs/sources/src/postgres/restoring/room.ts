/** Whether a restore has room, on each file system that it writes to. */
import { stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { RestoreError } from '../../port/restore-error.ts';

/** What a restore does to a place. */
export interface RoomAt {
  readonly place: string;
  /** Bytes that are written there beyond what is there. */
  readonly needed: number;
  /** Bytes that are given back before they are needed. */
  readonly freed: number;
}

/** Settings, notes and the control file, which are written beside what they replace. */
const OWN_FILES = 1_048_576;

/**
 * @param over whether the restore goes over what is there
 * @throws RestoreError `restore.noSpace`
 */
export async function refuseWithoutRoom(places: readonly RoomAt[], over: boolean): Promise<void> {
  const systems = new Map<number, { place: string; needed: number }>();
  for (const { place, needed, freed } of places) {
    const there = await nearest(place);
    const { dev } = await stat(there);
    const known = systems.get(dev) ?? { place: there, needed: OWN_FILES };
    systems.set(dev, { ...known, needed: known.needed + needed - freed });
  }
  for (const { place, needed } of systems.values()) {
    const { bavail, bsize } = await statfs(place);
    const available = bavail * bsize;
    if (needed <= available) continue;
    throw new RestoreError(
      'restore.noSpace',
      `The restore${over ? ' over what is there' : ''} needs ${needed} bytes${over ? ' more' : ''} on the file system of '${place}', with the log that is replayed, and ${available} are free. Nothing was ${over ? 'touched' : 'written'}.`,
      {
        remedy: over
          ? 'Free space there, or restore to a new folder elsewhere.'
          : 'Free space there, or restore elsewhere; a tablespace goes elsewhere with --tablespace OLD=NEW.',
        details: { needed, available, path: place },
      },
    );
  }
}

/** The place, or the folder that is there in which it will be made. */
async function nearest(place: string): Promise<string> {
  for (let at = place; at !== path.dirname(at); at = path.dirname(at)) {
    const status = await stat(at).catch(() => undefined);
    if (status !== undefined) return at;
  }
  return path.parse(place).root;
}
