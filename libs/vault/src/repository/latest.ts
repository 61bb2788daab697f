import { openDocument, sealDocument } from '../manifest/sealed-document.ts';
import type { Manifest } from '../port/manifest.ts';
import { readWhole } from '../store/read-whole.ts';
import type { CollectionContext } from './collection-context.ts';
import type { LatestDocument } from './documents.ts';
import { latestDocument } from './documents.ts';

/** Makes a conventional full the `LATEST` of its collection; anything else, and a second time, changes nothing. */
export async function markLatest(context: CollectionContext, manifest: Manifest): Promise<void> {
  if (manifest.type !== 'full' || manifest.copyOnly) return;
  const { backup, folder, run, asOf } = manifest;
  const name = context.layout.latest(new Date(manifest.startedAt), folder);
  const document = { format: 'catena-latest', version: 1, backup, folder, run, asOf };
  await context.store.putIfAbsent(name, sealDocument(document));
}

/** The newest conventional full that `LATEST` names and that still has its manifest. */
export async function readLatest(context: CollectionContext): Promise<LatestDocument | undefined> {
  const { store, layout } = context;
  const { objects } = await store.listFolder(layout.latestFolder());
  for (const { name } of objects) {
    const bytes = await readWhole(store, name);
    const { document } = openDocument(name, bytes, 'catena-latest', latestDocument);
    if ((await store.size(layout.manifest(document.folder))) !== undefined) return document;
  }
  return undefined;
}
