import type { ObjectKind } from '../container/object-header.ts';
import { ObjectSeriesWriter } from '../container/object-series-writer.ts';
import { crashPoint } from '../crash-point.ts';
import type { Keyring } from '../key/keyring.ts';
import type { ByteRate } from '../limit/rate-limiter.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { objectName } from '../repository/layout.ts';
import type { WriteOptions } from './backup-plan.ts';
import { PackSink } from './pack-sink.ts';
import type { OwnVolume } from './write-manifest.ts';

/**
 * With one pack that is being synced and one that is being filled, and what waits to be packed, an attempt that is killed
 * loses at most 64 MB.
 */
export const DEFAULT_PACK_BYTES = 24 * 1024 * 1024;
const MOST_UNCOMMITTED = 2;

/** The three series of objects that one attempt writes. */
export interface OwnSeries {
  readonly packs: ObjectSeriesWriter;
  readonly maps: ObjectSeriesWriter;
  readonly tree: ObjectSeriesWriter;
  /** To be settled when the packs, then the maps, are durable: what refers to them waits for it. */
  readonly packsDurable: PromiseWithResolvers<undefined>;
  readonly mapsDurable: PromiseWithResolvers<undefined>;
}

/** Packs, maps and entry pages of an attempt, each durable before what refers to it. */
export function ownSeries(
  { store, layout }: CollectionContext,
  keyring: Keyring | undefined,
  folder: string,
  { run, attempt }: { readonly run: string; readonly attempt: number },
  own: OwnVolume,
  { packBytes: targetBytes = DEFAULT_PACK_BYTES }: Pick<WriteOptions, 'packBytes'>,
): OwnSeries {
  const packsDurable = Promise.withResolvers<undefined>();
  const mapsDurable = Promise.withResolvers<undefined>();
  for (const barrier of [packsDurable, mapsDurable]) barrier.promise.catch(() => undefined);
  const volumeFolder = layout.volume(folder, run, attempt, own.id);
  const series = (
    kind: ObjectKind,
    more: Pick<
      ConstructorParameters<typeof ObjectSeriesWriter>[0],
      'beforeCommit' | 'afterCommit' | 'maxUncommitted'
    >,
  ) =>
    new ObjectSeriesWriter({
      ...{ store, kind, volume: own, targetBytes },
      ...(keyring === undefined ? {} : { key: keyring.active }),
      nameOf: (object) => volumeFolder + objectName(kind, object),
      ...more,
    });
  return {
    packs: series('pack', {
      afterCommit: () => crashPoint('vault.afterPack'),
      maxUncommitted: MOST_UNCOMMITTED,
    }),
    maps: series('map', { beforeCommit: () => packsDurable.promise }),
    tree: series('tree', { beforeCommit: () => mapsDurable.promise }),
    packsDurable,
    mapsDurable,
  };
}

/** Packs of an attempt that several threads fill side by side. */
export function ownPacks(
  { store, layout }: CollectionContext,
  folder: string,
  { run, attempt }: { readonly run: string; readonly attempt: number },
  own: OwnVolume,
  rate: ByteRate | undefined,
): PackSink {
  const volumeFolder = layout.volume(folder, run, attempt, own.id);
  return new PackSink({
    store,
    ...(rate === undefined ? {} : { rate }),
    nameOf: (number) => volumeFolder + objectName('pack', number),
    afterCommit: () => crashPoint('vault.afterPack'),
    maxUncommitted: 1,
    maxWaitingBytes: 4 * 1024 * 1024,
  });
}
