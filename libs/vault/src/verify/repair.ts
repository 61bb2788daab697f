import type { ObjectIdentity } from '../container/object-header.ts';
import { unitSeal } from '../container/unit-seal.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { ObjectMissingError } from '../error/object-missing-error.ts';
import type { ObjectStore } from '../port/object-store.ts';
import { findBackups } from '../repository/backup-finder.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import type { NeededObject } from './closure-objects.ts';
import { neededObjects } from './closure-objects.ts';
import { OwnThread } from '../workers/own-thread.ts';
import { checkingTasks } from './checking-tasks.ts';
import type { SealOfObject } from './object-check.ts';
import { checkBytes } from './object-check.ts';

const COPY_BYTES = 4 * 1024 * 1024;

async function findObject(context: CollectionContext, name: string): Promise<NeededObject | undefined> {
  for await (const found of findBackups(context)) {
    if (!('manifest' in found)) continue;
    const { manifest } = found;
    const object = neededObjects(context.layout, [manifest], [manifest]).find(
      (candidate) => candidate.name === name,
    );
    if (object !== undefined) return object;
  }
  return undefined;
}

async function copyObject(
  from: ObjectStore,
  source: string,
  to: ObjectStore,
  target: string,
): Promise<boolean> {
  const size = await from.size(source);
  if (size === undefined) return false;
  const writer = await to.create(target);
  try {
    for (let at = 0; at < size; at += COPY_BYTES)
      await writer.write(await from.read(source, at, Math.min(COPY_BYTES, size - at)));
    return await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function sealFor(context: CollectionContext, identity: ObjectIdentity): Promise<SealOfObject> {
  const keyring = identity.key === undefined ? undefined : await context.keyring();
  if (identity.key === undefined || keyring === undefined) return { identity };
  return { identity, secret: keyring.key(identity.key).secret };
}

/** See `Collection.repair`. The copy must have been made verbatim: same objects under the same names. */
export async function repairFrom(
  context: CollectionContext,
  damage: Damage,
  copy: CollectionContext,
): Promise<boolean> {
  const object = await findObject(context, damage.object);
  if (object === undefined) return false;
  const inCopy = copy.layout.folder + object.name.slice(context.layout.folder.length);
  const seal = await sealFor(context, object.identity);
  if (damage.reason === 'missing') {
    const checker = {
      store: copy.store,
      sealOf: () => seal,
      // What is mended in the copy is not what the object's own bytes are.
      repairsOf: () => Promise.resolve([]),
      onBytes: () => undefined,
      signal: undefined,
    };
    const wrong = await checkBytes(checker, { ...object, name: inCopy }, new OwnThread(checkingTasks));
    return wrong.length === 0 && (await copyObject(copy.store, inCopy, context.store, object.name));
  }
  const { offset, length } = damage;
  if (offset === undefined || length === undefined) return false;
  const bytes = await copy.store.read(inCopy, offset, length).catch((error: unknown) => {
    if (error instanceof ObjectMissingError) return new Uint8Array();
    throw error;
  });
  if (unitSeal(seal.identity, seal.secret).open(bytes, offset) === undefined) return false;
  const { volume, kind, number } = object.identity;
  await context.store.putIfAbsent(context.layout.repair(volume, kind, number, offset), bytes);
  return true;
}
