import { openDocument, sealDocument } from '../manifest/sealed-document.ts';
import { readIfThere } from '../store/read-whole.ts';
import type { CollectionContext } from './collection-context.ts';
import type { SweptDocument } from './documents.ts';
import { sweptDocument } from './documents.ts';

const FORMAT = 'catena-swept';
/** The format is the first member of every document. */
const BEGINNING_BYTES = 64;

/**
 * Whether what lies where a manifest would be says that its run made no backup.
 * @throws DamagedObjectError when it says so and is not whole
 */
export function isSwept(name: string, bytes: Uint8Array): boolean {
  const beginning = Buffer.from(bytes.subarray(0, BEGINNING_BYTES)).toString('latin1');
  if (!beginning.includes(`"${FORMAT}"`)) return false;
  openDocument(name, bytes, FORMAT, sweptDocument);
  return true;
}

/** Whether the folder's run can make no backup any more, because its leftovers were swept. */
export async function isSweptFolder(context: CollectionContext, folder: string): Promise<boolean> {
  const name = context.layout.manifest(folder);
  const bytes = await readIfThere(context.store, name);
  return bytes !== undefined && isSwept(name, bytes);
}

/**
 * Makes sure that a folder without a manifest never gets one.
 * @returns whether that is so; `false` when there is a manifest after all
 */
export async function closeFolder(context: CollectionContext, run: string, folder: string): Promise<boolean> {
  const { store, layout, now } = context;
  const document: SweptDocument = { format: FORMAT, version: 1, run, folder, at: now().toISOString() };
  if (await store.putIfAbsent(layout.manifest(folder), sealDocument(document))) return true;
  return await isSweptFolder(context, folder);
}
