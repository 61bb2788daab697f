export type BackupType = 'full' | 'differential' | 'incremental' | 'log';

/** The source's own coordinates, written as the driver spells them (exact integers of any width as text). */
export interface Position {
  readonly start?: string;
  readonly end: string;
  /** Branch of the source's history, if the driver has such. */
  readonly fork?: string;
  /** With `fork`: the branch it left, and up to where both are the same. */
  readonly forkParent?: string;
  readonly forkAt?: string;
  /** Of a data backup whose source keeps a log: where logs begin, reserved before reading. */
  readonly archivePoint?: string;
  /** Of a log: names that somebody left in it, in order; absent when they are not known. */
  readonly marks?: readonly { readonly name: string; readonly at: string; readonly position: string }[];
  /** Of a log: how many marks lie in it before those; absent when there are no others. */
  readonly moreMarks?: number;
  /** Of a log: numbers of the transactions that ended in it lie in these ranges, ends included; absent when not known. */
  readonly transactions?: readonly (readonly [first: number, last: number])[];
}

export interface SourceIdentity {
  readonly name: string;
  readonly uid: string;
  /** What makes two sources the same thing: system identifier, file system and path. */
  readonly family: string;
  readonly driver: string;
}

export interface BackupStatistics {
  /** Entries of every kind. */
  readonly entries: number;
  readonly files: number;
  /** Content of all files, as a restore would write it. */
  readonly bytes: number;
  readonly bytesRead: number;
  /** Bytes of blocks this backup stored because its lineage did not have them, before compression. */
  readonly bytesNew: number;
  /** Size of the objects this backup owns. */
  readonly bytesStored: number;
  /** Part of `bytesStored` that is maps and entry pages. */
  readonly bytesOfMaps: number;
}

/** Objects of one kind in a volume, numbered from 1. */
export interface ObjectSeries {
  /** Size in bytes of each object; the first is object 1. 0 where an interrupted attempt left a gap. */
  readonly sizes: readonly number[];
}

/** Numbers of objects, ascending: [first, last] pairs, both included. */
export type ObjectRanges = readonly (readonly [first: number, last: number])[];

/**
 * A volume is what one attempt wrote: its packs, maps and entry pages. A volume's number is the same in every backup
 * of a lineage, so that map pages of a parent can be used as they are.
 */
export interface Volume {
  readonly number: number;
  /** 32 hex digits, random. */
  readonly id: string;
  /** Backup that owns the objects. */
  readonly backup: string;
  readonly run: string;
  readonly attempt: number;
  /** Folder of the owning backup, beneath the collection's. */
  readonly folder: string;
  /** Key the objects are sealed with; absent when they are not encrypted. */
  readonly key?: string;
  /** 32 hex digits: repository and collection the objects were first written to. */
  readonly origin: string;
  /** Sizes of the objects; for a volume of another backup only in that backup's manifest. */
  readonly packs?: ObjectSeries;
  readonly maps?: ObjectSeries;
  readonly tree?: ObjectSeries;
  /** Objects this backup needs of the volume. */
  readonly needs: { readonly packs: ObjectRanges; readonly maps: ObjectRanges; readonly tree: ObjectRanges };
  /** Size of all packs of the volume. */
  readonly packBytes: number;
  /** Bytes of all blocks in the packs, before compression. */
  readonly blockBytes: number;
  /** Estimate of the part of `packBytes` that this backup uses. */
  readonly liveBytes: number;
}

/** What says that a backup exists. Stored as JSON in clear; see docs/vault-format.md. */
export interface Manifest {
  readonly format: 'catena-manifest';
  readonly version: 1;
  /** What a reader must understand beyond version 1 to read this backup; nothing so far. */
  readonly features: readonly string[];
  readonly repository: string;
  readonly collection: string;
  readonly backup: string;
  readonly type: BackupType;
  readonly copyOnly: boolean;
  /** Id of the full that the chain begins with; the backup's own for a full. */
  readonly chain: string;
  /** Backup a differential was computed from. */
  readonly base?: string;
  /** The backup this one is a copy of, when it was made by a copy job. */
  readonly copyOf?: { readonly repository: string; readonly collection: string; readonly backup: string };
  /** Backup an incremental was computed from. */
  readonly parent?: string;
  /** The backup that a composed full shows: same entries, times and position, in objects of its own. */
  readonly composedFrom?: string;
  readonly run: string;
  readonly attempt: number;
  /** Folder of this backup, beneath the collection's. */
  readonly folder: string;
  readonly source: SourceIdentity;
  readonly position?: Position;
  /** ISO 8601, UTC, like all times here. */
  readonly asOf: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly statistics: BackupStatistics;
  readonly driverDetails?: Readonly<Record<string, string | number | boolean>>;
  readonly warnings: number;
  /** Ids of every backup the closure touches, this one included. */
  readonly backups: readonly string[];
  readonly volumes: readonly Volume[];
  /** Ids of every key that is needed to read the backup. */
  readonly keys: readonly string[];
  /** Id of the key the block identities were made with; absent when nothing is encrypted. */
  readonly identityKey?: string;
  /** Where the pages that list the entries begin. */
  readonly tree: { readonly index: readonly string[]; readonly warnings: readonly string[] };
}
