import { RunSweptError } from '../error/sweep-error.ts';
import { openDocument, sealDocument } from '../manifest/sealed-document.ts';
import { readIfThere } from '../store/read-whole.ts';
import type { CollectionContext } from './collection-context.ts';
import type { RunDocument } from './documents.ts';
import { attemptOfVolume } from './layout.ts';
import { runDocument } from './documents.ts';
import { isSweptFolder } from './swept-folder.ts';

async function readRun(context: CollectionContext, name: string): Promise<RunDocument | undefined> {
  const bytes = await readIfThere(context.store, name);
  return bytes === undefined ? undefined : openDocument(name, bytes, 'catena-run', runDocument).document;
}

/** The folder of the backup that a run makes or made; `undefined` when no attempt of it has begun here. */
export async function folderOfRun(context: CollectionContext, run: string): Promise<string | undefined> {
  return (await readRun(context, context.layout.runPointer(run)))?.folder;
}

/** The run that a folder belongs to; `undefined` when nobody has claimed it, or not any more. */
export async function runOfFolder(context: CollectionContext, folder: string): Promise<string | undefined> {
  return (await readRun(context, context.layout.claim(folder)))?.run;
}

/** Bytes that attempts of a run have stored in its folder. */
export async function bytesOfVolumes(
  { store, layout }: CollectionContext,
  run: string,
  folder: string,
): Promise<number> {
  const parent = layout.backup(folder);
  let bytes = 0;
  for (const volume of (await store.listFolder(parent)).folders) {
    if (attemptOfVolume(volume, run) === undefined) continue;
    for (const { size } of (await store.listFolder(`${parent}${volume}/`)).objects) bytes += size;
  }
  return bytes;
}

/**
 * Gives a run the folder its backup goes to. All attempts of a run get the same one, whatever their clocks say, so that
 * they meet at one manifest name. When another run has the folder already the next hundredth of a second is taken.
 * @throws RunSweptError
 */
export async function claimFolder(
  context: CollectionContext,
  run: string,
  startedAt: Date,
  folderAt: (time: Date) => string,
): Promise<string> {
  const { store, layout } = context;
  for (let time = startedAt; ; time = new Date(time.getTime() + 10)) {
    const known = await folderOfRun(context, run);
    if (known !== undefined) {
      if (await isSweptFolder(context, known)) throw new RunSweptError(run);
      return known;
    }
    const folder = folderAt(time);
    const document = sealDocument({ format: 'catena-run', version: 1, run, folder });
    const claimed = await store.putIfAbsent(layout.claim(folder), document);
    if (!claimed && (await readRun(context, layout.claim(folder)))?.run !== run) continue;
    // Of a run that is deleted, and whose leftovers had been swept: nothing can be committed there.
    if (await isSweptFolder(context, folder)) continue;
    await store.putIfAbsent(layout.runPointer(run), document);
  }
}
