/** Where the tablespaces of a restored cluster go. */
import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';
import { RestoreError } from '../../port/restore-error.ts';

/** A tablespace that goes elsewhere: its place at the source or its number, and where it is to lie. */
export interface TablespaceMapping {
  readonly from: string;
  readonly to: string;
}

/** A tablespace of the source: the number it has in the catalog, and where it lay. */
export interface SourceTablespace {
  readonly oid: string;
  /** Undefined in a backup that does not say it. */
  readonly location: string | undefined;
}

/** What `tablespace_map` of a base backup says: by number, where each lay. Line ends in a path are escaped. */
export function parseTablespaceMap(text: string): Map<string, string> {
  const places = new Map<string, string>();
  for (const line of text.split(/\n/)) {
    const match = /^(\d+) (.*)$/s.exec(line.replace(/\r$/, ''));
    if (match !== null) places.set(match[1] ?? '', (match[2] ?? '').replace(/\\(.)/g, '$1'));
  }
  return places;
}

export interface PlacesWanted {
  readonly target: string;
  readonly tablespaces: readonly SourceTablespace[];
  readonly mappings: readonly TablespaceMapping[];
  /** A cluster is there already, and its tablespaces stay where they are. */
  readonly keepsPlaces: boolean;
}

/**
 * By number, where each goes: where a person said; else where the cluster that is there has it; else beside the target.
 * @throws RestoreError `restore.tablespaceUnknown`, `restore.targetNotUsable`.
 */
export async function placesOf(wanted: PlacesWanted): Promise<Map<string, string>> {
  const { target, tablespaces, mappings, keepsPlaces } = wanted;
  const mapped = new Map<string, string>();
  for (const { from, to } of mappings) {
    const found = tablespaces.find(({ oid, location }) => from === oid || sameFolder(from, location));
    if (found === undefined) throw unknown(from, tablespaces);
    if (!path.isAbsolute(to) || isInside(to, target)) throw notUsable(from, to, target);
    mapped.set(found.oid, path.resolve(to));
  }
  const places = new Map<string, string>();
  for (const { oid } of tablespaces) {
    const kept = keepsPlaces ? await linkedPlace(path.join(target, 'pg_tblspc', oid)) : undefined;
    const place = mapped.get(oid) ?? kept ?? `${target}.tablespaces/${oid}`;
    const other = [...places].find(([, taken]) => isInside(place, taken) || isInside(taken, place));
    if (other !== undefined) throw twice(place, oid, other[0]);
    places.set(oid, place);
  }
  return places;
}

function sameFolder(a: string, b: string | undefined): boolean {
  return b !== undefined && path.resolve(a) === path.resolve(b);
}

function isInside(place: string, folder: string): boolean {
  const way = path.relative(path.resolve(folder), path.resolve(place));
  return way === '' || (!way.startsWith('..') && !path.isAbsolute(way));
}

async function linkedPlace(link: string): Promise<string | undefined> {
  const status = await lstat(link).catch(() => undefined);
  return status?.isSymbolicLink() === true
    ? path.resolve(path.dirname(link), await readlink(link))
    : undefined;
}

function unknown(from: string, tablespaces: readonly SourceTablespace[]): RestoreError {
  const there = tablespaces.map(({ oid, location }) =>
    location === undefined ? oid : `${location} (${oid})`,
  );
  return new RestoreError(
    'restore.tablespaceUnknown',
    `The backup has no tablespace '${from}'. It has ${there.length === 0 ? 'none' : there.join(', ')}.`,
    { remedy: 'Name its place at the source, or its number, with --tablespace OLD=NEW.', details: { from } },
  );
}

function notUsable(from: string, to: string, target: string): RestoreError {
  return new RestoreError(
    'restore.targetNotUsable',
    `The tablespace '${from}' cannot go to '${to}': it must be an absolute path outside of ${target}.`,
    { remedy: 'Name another folder with --tablespace OLD=NEW.', details: { from, to } },
  );
}

function twice(place: string, oid: string, other: string): RestoreError {
  return new RestoreError(
    'restore.targetNotUsable',
    `The tablespaces ${other} and ${oid} would share '${place}'.`,
    { remedy: 'Give each a folder of its own with --tablespace OLD=NEW.', details: { place } },
  );
}
