import type { ReadableVolume } from '../container/unit-reader.ts';
import type { CollectionKey } from '../key/data-key.ts';
import { publicIdentityOf } from '../key/data-key.ts';
import type { Keyring, KeyringPlace } from '../key/keyring.ts';
import type { Manifest, Volume } from '../port/manifest.ts';
import type { ObjectStore } from '../port/object-store.ts';
import type { CollectionLayout } from './layout.ts';
import { objectName } from './layout.ts';

/** What everything that works on one collection has in common. */
export interface CollectionContext {
  readonly store: ObjectStore;
  readonly layout: CollectionLayout;
  readonly place: KeyringPlace;
  readonly encrypted: boolean;
  readonly now: () => Date;
  /**
   * The opened keyring; `undefined` when nothing is encrypted.
   * @throws LockedError
   */
  readonly keyring: () => Promise<Keyring | undefined>;
}

/** The key block identities are made with where nothing is encrypted. */
export function publicIdentity({ place }: CollectionContext): CollectionKey {
  return publicIdentityOf(Buffer.from(place.origin, 'hex'));
}

export function readableVolume(
  context: CollectionContext,
  volume: Volume,
  keyring: Keyring | undefined,
): ReadableVolume {
  const { layout } = context;
  const folder = layout.volume(volume.folder, volume.run, volume.attempt, volume.id);
  return {
    number: volume.number,
    id: volume.id,
    origin: volume.origin,
    ...(volume.key === undefined || keyring === undefined ? {} : { key: keyring.key(volume.key) }),
    nameOf: (kind, object) => folder + objectName(kind, object),
    repairOf: (kind, object, offset) => layout.repair(volume.id, kind, object, offset),
  };
}

/**
 * The volumes of a manifest, ready to be read.
 * @throws LockedError, DataKeyMissingError
 */
export async function readableVolumes(
  context: CollectionContext,
  manifest: Manifest,
): Promise<ReadableVolume[]> {
  const keyring = manifest.keys.length === 0 ? undefined : await context.keyring();
  return manifest.volumes.map((volume) => readableVolume(context, volume, keyring));
}
