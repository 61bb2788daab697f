/** The restore of an image: to a file, which appears when it is complete, or onto a device. */
import type { BackupReader, StoredEntry } from '@catena/vault';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { ProgressMeter } from '../../files/progress-meter.ts';
import { removeMade } from '../../files/restoring/made-folders.ts';
import { Durability } from '../../files/restoring/durability.ts';
import { Metadata, type Place } from '../../files/restoring/metadata.ts';
import { PlannedFiles } from '../../files/restoring/planned/planned-files.ts';
import { contentMissing, folderInTheWay, targetExists } from '../../files/restoring/refusals.ts';
import { removeTree } from '../../files/restoring/remove-tree.ts';
import { RestoreWarnings } from '../../files/restoring/restore-warnings.ts';
import { TargetPlace } from '../../files/restoring/target-place.ts';
import { RestoreError } from '../../port/restore-error.ts';
import type { RestoreOptions, RestoreOutcome } from '../../port/source-driver.ts';
import { byteStringOf, shownName, systemCodeOf, type ByteString } from '../../system-calls/index.ts';
import type { WritableDisk } from '../disk/disk.ts';
import { FileDisk } from '../disk/file-disk.ts';
import { makeQcow2, requireQemuTools } from '../qcow2/qemu-tools.ts';
import { Qcow2Disk } from '../qcow2/qcow2-disk.ts';
import { imageName } from '../reading/backup-image.ts';
import { isDevice, openDevice } from './device-target.ts';
import { writeImage } from './write-image.ts';

const staged = byteStringOf(Buffer.from('disk'));
const root = '' as ByteString;
const { O_CREAT, O_RDWR } = fs.constants;

/** Moments of a restore that a test can act in. */
export interface ImageRestoreMoments {
  /** A piece is where it belongs on the staged image or the device. */
  passed?(bytes: number): void;
  /** Everything is staged; nothing is under its final name. */
  staged?(): void;
}

export class ImageRestore {
  readonly #reader: BackupReader;
  readonly #target: string;
  readonly #options: RestoreOptions;
  readonly #moments: ImageRestoreMoments;
  readonly #warnings = new RestoreWarnings();
  readonly #meter: ProgressMeter;
  #bytesWritten = 0;

  constructor(
    reader: BackupReader,
    target: string,
    options: RestoreOptions,
    moments: ImageRestoreMoments = {},
  ) {
    this.#reader = reader;
    this.#target = target;
    this.#options = options;
    this.#moments = moments;
    this.#meter = new ProgressMeter(options.progress);
  }

  async run(): Promise<RestoreOutcome> {
    this.#options.signal?.throwIfAborted();
    const entry = await this.#selectedImage();
    const size = entry.content?.size ?? 0n;
    this.#meter.expect({ files: 1, bytes: Number(size) });
    if (isDevice(this.#target)) await this.#toDevice(entry, size);
    else await this.#toFile(entry, size);
    this.#meter.add(1, 0, imageName);
    this.#meter.finish();
    return {
      files: 1,
      bytes: this.#meter.bytes,
      bytesWritten: this.#bytesWritten,
      unchanged: 0,
      warnings: this.#warnings.list,
      warningCount: this.#warnings.count,
    };
  }

  async #selectedImage(): Promise<StoredEntry> {
    const { globs } = this.#options;
    for await (const entry of this.#reader.entries(globs?.length ? { globs } : undefined)) {
      if (byteStringOf(entry.path) !== imageName) continue;
      if (entry.content === undefined) throw contentMissing(imageName);
      return entry;
    }
    throw new RestoreError('restore.nothingSelected', 'What was asked for does not match the image.', {
      remedy: `A disk image is restored as a whole: leave the patterns out, or name '${shownName(imageName)}'.`,
      details: { globs },
    });
  }

  /** Writes over what is on a device, as far as it differs: begun again, it goes on where it was. */
  async #toDevice(entry: StoredEntry, size: bigint): Promise<void> {
    const disk = openDevice(this.#target, size, this.#options);
    try {
      await this.#options.beforeVisible?.();
      await this.#write(disk, entry, false);
      await disk.flush();
      if (disk.size > size) {
        this.#warnings.add(
          imageName,
          'restore.deviceLarger',
          `The device '${this.#target}' is ${disk.size - size} bytes larger than the image; what is behind the image's end is as it was.`,
        );
      }
    } finally {
      await disk.close();
    }
  }

  async #toFile(entry: StoredEntry, size: bigint): Promise<void> {
    const made: string[] = [];
    try {
      using place = TargetPlace.open(this.#target, this.#options.run, made);
      if (place.status?.kind === 'folder') throw folderInTheWay(place.path, root);
      if (place.status && !this.#options.overwrite) throw targetExists(place.path, root);
      const asQcow2 = this.#wantsQcow2();
      if (asQcow2) requireQemuTools();
      try {
        await this.#stageAndMove(entry, size, place, asQcow2);
        place.removeStaging();
      } catch (error) {
        if (await this.#removesOn(error)) place.removeStaging();
        throw systemCodeOf(error) === 'ENOSPC' ? noSpace(place.path, error) : error;
      }
    } catch (error) {
      if (await this.#removesOn(error)) removeMade(made);
      throw error;
    }
  }

  async #stageAndMove(entry: StoredEntry, size: bigint, place: TargetPlace, asQcow2: boolean): Promise<void> {
    const { folder: staging } = place.openStaging();
    const at: Place = { folder: staging, name: staged };
    try {
      const isBlank = asQcow2 || staging.statusIfThere(staged) === undefined;
      const metadata = new Metadata(this.#options.ownership, this.#warnings);
      const isMade = isBlank && !asQcow2 && (await this.#makeByPlan(entry, at, metadata));
      if (!isMade) {
        const disk = asQcow2 ? await this.#newQcow2(at, place, size) : openStaged(at, size);
        try {
          await this.#write(disk, entry, isBlank);
          await disk.flush();
        } finally {
          await disk.close();
        }
        metadata.apply(root, entry, at, { isNew: true });
      }
      this.#moments.staged?.();
      this.#options.signal?.throwIfAborted();
      await this.#options.beforeVisible?.();
      moveTo(place, at, this.#options.overwrite ?? false);
      await syncName(place);
    } finally {
      staging.close();
    }
  }

  /** On a thread of its own, where the backup can be read that way; false when nothing came of it. */
  async #makeByPlan(entry: StoredEntry, at: Place, metadata: Metadata): Promise<boolean> {
    const { planner } = this.#reader;
    if (planner?.canPlan(entry) !== true) return false;
    const { signal, limits } = this.#options;
    const planned = new PlannedFiles({
      planner,
      expected: { files: 1, bytes: Number(entry.size) },
      metadata,
      warnings: this.#warnings,
      durability: new Durability(),
      signal,
      limits,
    });
    try {
      return await planned.make(root, entry, at, (bytes, data) => this.#passed(bytes, data));
    } finally {
      await planned.close();
    }
  }

  #passed(bytes: number, written: number): void {
    this.#bytesWritten += written;
    this.#meter.add(0, bytes, imageName);
    this.#moments.passed?.(bytes);
  }

  async #newQcow2(at: Place, place: TargetPlace, size: bigint): Promise<WritableDisk> {
    removeTree(at.folder, at.name);
    const file = path.join(path.dirname(place.path), shownName(place.stagingName), shownName(at.name));
    await makeQcow2(file, size, Number(this.#reader.manifest.driverDetails?.['clusterBytes'] ?? 65_536));
    return Qcow2Disk.open(file, 'write');
  }

  /** A disk that came out of a qcow2 file goes back into one, unless the target's name says that it is raw. */
  #wantsQcow2(): boolean {
    const { driverDetails } = this.#reader.manifest;
    return driverDetails?.['imageFormat'] === 'qcow2' && !/\.(raw|img)$/i.test(this.#target);
  }

  async #write(disk: WritableDisk, entry: StoredEntry, isBlank: boolean): Promise<void> {
    const length = await writeImage(disk, this.#reader.content(entry), {
      isBlank,
      signal: this.#options.signal,
      rate: this.#options.limits?.write,
      passed: (bytes, written) => this.#passed(bytes, written),
    });
    if (length === entry.content?.size) return;
    throw new RestoreError(
      'restore.contentWrong',
      `The image has ${length} bytes instead of ${entry.content?.size}.`,
      { remedy: 'Verify the backup, and restore from another one.', details: { target: this.#target } },
    );
  }

  async #removesOn(error: unknown): Promise<boolean> {
    const { onFailure } = this.#options;
    return (typeof onFailure === 'function' ? await onFailure(error) : onFailure) !== 'keep';
  }
}

function openStaged({ folder, name }: Place, size: bigint): FileDisk {
  const file = folder.openFile(name, O_CREAT | O_RDWR);
  fs.ftruncateSync(file, Number(size));
  return new FileDisk(file, size, { sparse: true });
}

function moveTo(place: TargetPlace, from: Place, replace: boolean): void {
  try {
    from.folder.rename(from.name, place.parent, place.name, { replace });
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
    throw targetExists(place.path, root);
  }
}

/** Makes the file and its new name durable; the metadata came after the content. */
async function syncName(place: TargetPlace): Promise<void> {
  for (const file of [place.parent.openFile(place.name), place.parent.openSelf()]) {
    try {
      await promisify(fs.fsync)(file);
    } finally {
      fs.closeSync(file);
    }
  }
}

function noSpace(target: string, cause: unknown): RestoreError {
  return new RestoreError('restore.noSpace', `There is no space left for the image at '${target}'.`, {
    remedy: 'Free space there, or restore elsewhere.',
    details: { target },
    cause,
  });
}
