import { z } from 'zod';
import type { JsonValue } from '../codec/canonical-json.ts';
import type { CollectionKey } from '../key/data-key.ts';
import type { Manifest, ObjectRanges, Volume } from '../port/manifest.ts';
import type { OpenedDocument } from './sealed-document.ts';
import { openDocument, sealDocument } from './sealed-document.ts';

const FORMAT = 'catena-manifest';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const count = z.int().nonnegative();
const place = z.string().regex(/^\d{1,9}:\d{1,9}:\d{1,15}:\d{1,9}$/);

/** `"33554120 33553991"` */
const sizes = z
  .string()
  .regex(/^(\d{1,15}( \d{1,15})*)?$/)
  .transform((text) => ({ sizes: text === '' ? [] : text.split(' ').map(Number) }));

/** `"1-3 7"` */
const ranges = z
  .string()
  .regex(/^(\d{1,9}(-\d{1,9})?( \d{1,9}(-\d{1,9})?)*)?$/)
  .transform((text): ObjectRanges =>
    text === ''
      ? []
      : text.split(' ').map((part) => {
          const [first, last] = part.split('-').map(Number) as [number, number | undefined];
          return [first, last ?? first];
        }),
  );

const volume = z.object({
  number: count,
  id: hex(16),
  backup: z.string(),
  run: z.string(),
  attempt: count,
  folder: z.string(),
  key: hex(8).optional(),
  origin: hex(16),
  packs: sizes.optional(),
  maps: sizes.optional(),
  tree: sizes.optional(),
  needs: z.object({ packs: ranges, maps: ranges, tree: ranges }),
  packBytes: count,
  blockBytes: count,
  liveBytes: count,
});

const manifest = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  features: z.array(z.string()),
  repository: z.string(),
  collection: z.string(),
  backup: z.string(),
  type: z.enum(['full', 'differential', 'incremental', 'log']),
  copyOnly: z.boolean(),
  chain: z.string(),
  base: z.string().optional(),
  parent: z.string().optional(),
  composedFrom: z.string().optional(),
  copyOf: z.object({ repository: z.string(), collection: z.string(), backup: z.string() }).optional(),
  run: z.string(),
  attempt: count,
  folder: z.string(),
  source: z.object({ name: z.string(), uid: z.string(), family: z.string(), driver: z.string() }),
  position: z
    .object({
      start: z.string().optional(),
      end: z.string(),
      fork: z.string().optional(),
      forkParent: z.string().optional(),
      forkAt: z.string().optional(),
      archivePoint: z.string().optional(),
      marks: z.array(z.object({ name: z.string(), at: z.iso.datetime(), position: z.string() })).optional(),
      moreMarks: count.optional(),
      transactions: z.array(z.tuple([count, count])).optional(),
    })
    .optional(),
  asOf: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  statistics: z.object({
    entries: count,
    files: count,
    bytes: count,
    bytesRead: count,
    bytesNew: count,
    bytesStored: count,
    bytesOfMaps: count,
  }),
  driverDetails: z.record(z.string(), z.union([z.string(), z.int(), z.boolean()])).optional(),
  warnings: count,
  backups: z.array(z.string()),
  volumes: z.array(volume),
  keys: z.array(hex(8)),
  identityKey: hex(8).optional(),
  tree: z.object({ index: z.array(place), warnings: z.array(place) }),
});

function rangesText(list: ObjectRanges): string {
  return list.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(' ');
}

function volumeDocument(from: Volume): JsonValue {
  const series = (name: 'packs' | 'maps' | 'tree') => {
    const objects = from[name];
    return objects === undefined ? {} : { [name]: objects.sizes.join(' ') };
  };
  const { packs, maps, tree } = from.needs;
  return {
    ...from,
    ...series('packs'),
    ...series('maps'),
    ...series('tree'),
    needs: { packs: rangesText(packs), maps: rangesText(maps), tree: rangesText(tree) },
  } as unknown as JsonValue;
}

/** @param key authenticates the manifest; absent when nothing is encrypted */
export function encodeManifest(from: Manifest, key?: CollectionKey): Buffer {
  const document = { ...from, volumes: from.volumes.map(volumeDocument) } as unknown as Record<
    string,
    JsonValue
  >;
  return sealDocument(document, key);
}

/** @throws DamagedObjectError, NewerFormatError */
export function decodeManifest(object: string, bytes: Uint8Array): OpenedDocument<Manifest> {
  return openDocument(object, bytes, FORMAT, manifest as unknown as z.ZodType<Manifest>);
}
