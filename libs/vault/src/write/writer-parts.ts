import type { ObjectSeriesWriter } from '../container/object-series-writer.ts';
import type { BackupSummary, FinishedBackup } from '../port/backup-writer.ts';
import type { VaultBackupReader } from '../read/vault-backup-reader.ts';
import type { BackupPlan, WriteOptions } from './backup-plan.ts';
import type { ClosureUsage } from './closure-usage.ts';
import type { LeftoverBlocks } from './leftover-blocks.ts';
import type { SharedMemory } from './shared-memory.ts';
import type { PackSink } from './pack-sink.ts';
import type { Stations } from './stations.ts';
import type { UnitPlaces } from './unit-places.ts';
import type { OwnVolume } from './write-manifest.ts';

/** What a backup is written with. */
export interface WriterParts {
  readonly plan: BackupPlan;
  readonly options: WriteOptions;
  readonly parent: VaultBackupReader | undefined;
  readonly packs: PackSink;
  readonly stations: Stations;
  readonly places: UnitPlaces;
  readonly memory: SharedMemory;
  /** Memory of the threads, to be given back. */
  readonly recent: SharedArrayBuffer;
  /** Bytes of content that may be in memory. */
  readonly bufferBytes: number;
  readonly maps: ObjectSeriesWriter;
  readonly tree: ObjectSeriesWriter;
  readonly own: OwnVolume;
  readonly leftovers: LeftoverBlocks | undefined;
  readonly gear: Uint32Array;
  readonly now: () => Date;
  /** Resolves or rejects when the packs, then the maps, are durable: what refers to them waits for it. */
  readonly packsDurable: PromiseWithResolvers<undefined>;
  readonly mapsDurable: PromiseWithResolvers<undefined>;
  /** Creates the manifest, or finds the one another attempt created. */
  readonly commit: (written: WrittenBackup) => Promise<FinishedBackup>;
}

/** Everything the manifest says that only the writer knows. */
export interface WrittenBackup {
  readonly usage: ClosureUsage;
  readonly index: readonly string[];
  readonly warningPages: readonly string[];
  readonly warnings: number;
  /** What a reader must understand beyond version 1. */
  readonly features: readonly string[];
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  readonly bytesRead: number;
  readonly bytesNew: number;
  readonly blockBytes: number;
  readonly summary: BackupSummary;
}
