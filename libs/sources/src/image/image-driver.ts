/** Source driver for disks: block devices and files that hold an image of one. */
import type { BackupReader, BackupWriter } from '@catena/vault';
import type {
  BackupOptions,
  BackupOutcome,
  CheckContext,
  RestoreOptions,
  RestoreOutcome,
  SourceDriver,
  SourceTotals,
} from '../port/source-driver.ts';
import { existingFolder } from '../files/existing-part.ts';
import { SourceError } from '../port/source-error.ts';
import { refuseClusterOptions } from '../port/refuse-cluster-options.ts';
import { devicesOn, loopDevicesOf, statusOfPath } from '../system-calls/index.ts';
import { parseImageSpec } from './image-spec.ts';
import { ImageBackup } from './reading/backup-image.ts';
import { ImageSource } from './reading/image-source.ts';
import { ImageRestore } from './restoring/restore-image.ts';

class ImageDriver implements SourceDriver {
  readonly name = 'image';
  readonly capabilities = { givesLogs: false, givesPast: false };

  async check(spec: unknown, context: CheckContext = {}): Promise<void> {
    using source = ImageSource.find(parseImageSpec(spec));
    await source.requireFormat();
    if (context.repositoryFolder !== undefined) await refuseOwnRepository(source, context.repositoryFolder);
  }

  async family(spec: unknown): Promise<string> {
    using source = ImageSource.find(parseImageSpec(spec));
    return source.family();
  }

  async estimate(spec: unknown): Promise<SourceTotals> {
    using source = ImageSource.find(parseImageSpec(spec));
    return { files: 1, bytes: Number(await source.size()) };
  }

  async backup(spec: unknown, writer: BackupWriter, options: BackupOptions = {}): Promise<BackupOutcome> {
    using source = ImageSource.find(parseImageSpec(spec));
    await source.requireFormat();
    return await new ImageBackup(source, writer, options).run();
  }

  async restore(reader: BackupReader, target: string, options: RestoreOptions): Promise<RestoreOutcome> {
    refuseClusterOptions(options);
    return new ImageRestore(reader, target, options).run();
  }
}

/** A repository on the very disk would be part of each backup that is written to it. */
async function refuseOwnRepository(source: ImageSource, repository: string): Promise<void> {
  const { kind, deviceNumber } = source.status();
  const devices = kind === 'blockDevice' ? [deviceNumber] : loopDevicesOf(source.path);
  const folder = statusOfPath(Buffer.from(await existingFolder(repository)), { follow: true });
  if (!devices.flatMap(devicesOn).includes(folder.device)) return;
  throw new SourceError(
    'source.repositoryInside',
    `The repository '${repository}' lies on its own source '${source.path}': each backup would hold the ones before it.`,
    {
      remedy: 'Put the repository on another disk.',
      details: { source: source.path, repository },
    },
  );
}

/** Backs up and restores disks, byte by byte. */
export const imageDriver: SourceDriver = new ImageDriver();
