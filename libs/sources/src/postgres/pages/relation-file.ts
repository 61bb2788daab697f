/** Which files of a data directory hold pages of relations, by their names. */
import { SEGMENT_PAGES } from './page-checksum.ts';

/** A file with pages of a table, an index or one of their maps. */
export interface RelationFile {
  /** Without the number of the segment, for people: `base/5/16384`. */
  readonly relation: string;
  readonly segment: number;
}

const RELATION =
  /^(?:base\/\d+|global|pg_tblspc\/\d+\/PG_[^/]+\/\d+)\/(?:t\d+_)?\d+(?:_(?:fsm|vm|init))?(?:\.(\d+))?$/;

/** Undefined for files that hold something else. */
export function relationFile(path: string): RelationFile | undefined {
  const match = RELATION.exec(path);
  if (match === null) return undefined;
  const segment = match[1] === undefined ? 0 : Number(match[1]);
  return { relation: segment === 0 ? path : path.slice(0, path.lastIndexOf('.')), segment };
}

/** The block number of the first page of a segment. */
export function firstBlock({ segment }: RelationFile): number {
  return segment * SEGMENT_PAGES;
}
