/** The restore of a file tree: look, stage, verify, make durable, and only then move into place. */
import type { BackupReader } from '@catena/vault';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RestoreOptions, RestoreOutcome, SourceTotals } from '../../port/source-driver.ts';
import {
  byteStringOf,
  extendedAttributesOf,
  removeExtendedAttribute,
  systemCodeOf,
  type ByteString,
  type FolderHandle,
} from '../../system-calls/index.ts';
import { ProgressMeter } from '../progress-meter.ts';
import { Durability } from './durability.ts';
import { FileMaker } from './file-maker.ts';
import { removeMade } from './made-folders.ts';
import { Metadata } from './metadata.ts';
import { MoveInto, moveWhole } from './move-into-place.ts';
import { PlannedFiles } from './planned/planned-files.ts';
import { spaceUsedUp } from './refusals.ts';
import { removeTree } from './remove-tree.ts';
import { RestoreWarnings } from './restore-warnings.ts';
import { Stage, type RestoreMoments, type StagingResult } from './stage.ts';
import { survey } from './survey.ts';
import { STAGED_TREE, TargetPlace } from './target-place.ts';

const tree = byteStringOf(Buffer.from(STAGED_TREE));
const root = '' as ByteString;

export class FilesRestore {
  readonly #reader: BackupReader;
  readonly #target: string;
  readonly #options: RestoreOptions;
  readonly #moments: RestoreMoments;
  readonly #warnings = new RestoreWarnings();
  readonly #durability = new Durability();
  readonly #metadata: Metadata;
  readonly #meter: ProgressMeter;

  constructor(reader: BackupReader, target: string, options: RestoreOptions, moments: RestoreMoments = {}) {
    this.#reader = reader;
    this.#target = target;
    this.#options = options;
    this.#moments = moments;
    this.#metadata = new Metadata(options.ownership, this.#warnings);
    this.#meter = new ProgressMeter(options.progress);
  }

  async run(): Promise<RestoreOutcome> {
    const { signal, run } = this.#options;
    signal?.throwIfAborted();
    const made: string[] = [];
    try {
      using place = TargetPlace.open(this.#target, run, made);
      const expected = await survey(this.#reader, place, this.#options);
      this.#meter.expect(expected);
      try {
        const result = await this.#restoreTo(place, expected);
        place.removeStaging();
        return this.#outcome(result);
      } catch (error) {
        const available = hasNoSpace(error) ? place.freeBytes() : undefined;
        const failure = available === undefined ? error : spaceUsedUp(place.path, available, error);
        if (await this.#removesOn(failure)) place.removeStaging();
        throw failure;
      }
    } catch (error) {
      if (await this.#removesOn(error)) removeMade(made);
      throw error;
    }
  }

  async #removesOn(error: unknown): Promise<boolean> {
    const { onFailure } = this.#options;
    return (typeof onFailure === 'function' ? await onFailure(error) : onFailure) !== 'keep';
  }

  async #restoreTo(place: TargetPlace, expected: SourceTotals): Promise<StagingResult> {
    const { folder: staging, resumed } = place.openStaging();
    const planned = this.#plannedFiles(expected);
    try {
      this.#durability.begin(staging);
      if (resumed) {
        removeOthers(staging);
        this.#durability.others();
      } else forgetDefaultAcl(staging);
      const free = place.isFree();
      const staged = { folder: staging, name: tree };
      const stage = new Stage({
        reader: this.#reader,
        target: free ? undefined : place.root,
        targetPath: place.path,
        root: staged,
        resumed,
        options: this.#options,
        maker: new FileMaker(this.#reader, this.#warnings, this.#durability, this.#options),
        metadata: this.#metadata,
        planned,
        warnings: this.#warnings,
        durability: this.#durability,
        meter: this.#meter,
      });
      const result = await stage.run();
      await this.#durability.complete();
      this.#moments.staged?.();
      this.#options.signal?.throwIfAborted();
      await this.#options.beforeVisible?.();
      if (free) await this.#moveWhole(place, staging);
      else {
        await new MoveInto({
          reader: this.#reader,
          place,
          staged,
          options: this.#options,
          metadata: this.#metadata,
          newFolders: result.newFolders,
          durability: this.#durability,
          moments: this.#moments,
        }).run();
      }
      this.#metadata.flags.setAll(place.root);
      await this.#durability.complete();
      return result;
    } finally {
      await planned?.close();
      await this.#durability.close();
      staging.close();
    }
  }

  #plannedFiles(expected: SourceTotals): PlannedFiles | undefined {
    const { planner } = this.#reader;
    if (planner === undefined) return undefined;
    return new PlannedFiles({
      planner,
      expected,
      metadata: this.#metadata,
      warnings: this.#warnings,
      durability: this.#durability,
      signal: this.#options.signal,
      limits: this.#options.limits,
    });
  }

  async #moveWhole(place: TargetPlace, staging: FolderHandle): Promise<void> {
    const entry = await this.#reader.find(new Uint8Array(0));
    moveWhole(place, { folder: staging, name: tree });
    this.#durability.folder(place.parent);
    if (entry?.kind === 'folder') this.#metadata.finishMode(entry, place.root);
    this.#moments.moved?.(root);
  }

  #outcome({ bytesWritten, unchanged }: StagingResult): RestoreOutcome {
    this.#meter.finish();
    return {
      files: this.#meter.files,
      bytes: this.#meter.bytes,
      bytesWritten,
      unchanged,
      warnings: this.#warnings.list,
      warningCount: this.#warnings.count,
    };
  }
}

function hasNoSpace(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Removes what earlier attempts of a run have staged for a target, when there will be no further one. */
export function discardStaged(target: string, run: string): void {
  if (!fs.existsSync(path.dirname(target))) return;
  using place = TargetPlace.open(target, run);
  place.removeStaging();
}

/** What is none of the tree: files that an attempt of an earlier version had not finished. */
function removeOthers(staging: FolderHandle): void {
  for (const name of staging.names()) if (name !== tree) removeTree(staging, name);
}

/** What is made in a folder inherits its default ACL; nothing restored may. */
function forgetDefaultAcl(folder: FolderHandle): void {
  const name = Buffer.from('system.posix_acl_default');
  const self = folder.pathOf();
  if (extendedAttributesOf(self).some(([found]) => name.equals(found))) removeExtendedAttribute(self, name);
}
