import type { ServedEntry } from './backup-tree.ts';
import { segmentOf } from './served-names.ts';
import type { ServedPlace } from './served-place.ts';

/** A folder or a file as answers show it. */
export interface Resource {
  readonly isFolder: boolean;
  /** Its name as a segment of a URL; empty for the root. */
  readonly segment: string;
  readonly bytes: bigint;
  readonly modified: Date | undefined;
  /** Strong, with its quotes; only of files. */
  readonly tag: string;
}

function dateOf(nanoseconds: bigint): Date | undefined {
  const date = new Date(Number(nanoseconds / 1_000_000n));
  const year = date.getUTCFullYear();
  // Dates of HTTP have four digits for the year.
  return year >= 1000 && year <= 9999 ? date : undefined;
}

export function resourceOf({ isFolder, name, bytes, modified, tag }: ServedEntry): Resource {
  return {
    isFolder,
    segment: segmentOf(name),
    bytes,
    modified: dateOf(modified),
    tag: isFolder ? '' : `"${tag}"`,
  };
}

function shelf(name: string, modified?: string): Resource {
  return {
    isFolder: true,
    segment: segmentOf(Buffer.from(name)),
    bytes: 0n,
    modified: modified === undefined ? undefined : new Date(modified),
    tag: '',
  };
}

/** What was asked for, under the name it was asked by. */
export function resourceAt(place: ServedPlace, segment: string): Resource {
  if (place.kind === 'shelf') return { ...shelf('', place.modified), segment };
  return { ...resourceOf(place.entry), segment };
}

/** What is in it. @throws DamagedObjectError */
export async function* resourcesIn(place: ServedPlace): AsyncGenerator<Resource> {
  if (place.kind === 'shelf') for (const { name, modified } of place.folders) yield shelf(name, modified);
  else if (place.entry.isFolder)
    for await (const entry of place.tree.list(place.entry)) yield resourceOf(entry);
}

/** The properties of WebDAV that it has; values are XML. */
export function propertiesOf(resource: Resource, displayName: string): Map<string, string> {
  const properties = new Map([
    ['displayname', displayName],
    ['resourcetype', resource.isFolder ? '<D:collection/>' : ''],
  ]);
  if (resource.modified !== undefined) properties.set('getlastmodified', resource.modified.toUTCString());
  if (!resource.isFolder) {
    properties.set('getcontentlength', String(resource.bytes));
    properties.set('getcontenttype', 'application/octet-stream');
    properties.set('getetag', resource.tag);
  }
  properties.set('supportedlock', '');
  return properties;
}
