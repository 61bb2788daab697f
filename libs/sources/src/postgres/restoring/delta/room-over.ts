/** Whether a restore over what is there has room, on each file system that it writes to. */
import { stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { RestoreError } from '../../../port/restore-error.ts';
import type { SurveyedTree } from './tree-survey.ts';

/** What a restore does to a place. */
export interface RoomAt extends Pick<SurveyedTree, 'needed' | 'freed'> {
  readonly place: string;
}

/** Settings, notes and the control file, which are written beside what they replace. */
const OWN_FILES = 1_048_576;

/**
 * What is not in the backup goes first, so that its room counts; pages that are written in place need none.
 * @throws RestoreError `restore.noSpace`
 */
export async function refuseWithoutRoom(places: readonly RoomAt[]): Promise<void> {
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
      `The restore over what is there needs ${needed} bytes more on the file system of '${place}', and ${available} are free. Nothing was touched.`,
      {
        remedy: 'Free space there, or restore to a new folder elsewhere.',
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
