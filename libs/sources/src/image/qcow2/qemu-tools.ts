/** The programs of qemu-utils, which know the formats of virtual disks. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { SourceError } from '../../port/source-error.ts';

const run = promisify(execFile);

const imageInfo = z.object({
  format: z.string(),
  'virtual-size': z.int().nonnegative(),
  'cluster-size': z.int().positive().optional(),
  'backing-filename': z.string().optional(),
});

/** What a virtual disk says of itself. */
export interface VirtualDiskInfo {
  /** What a guest sees, in bytes. */
  readonly size: bigint;
  /** Unit of allocation in bytes. */
  readonly clusterSize: number;
  /** Whether part of its content is in another file. */
  readonly hasBackingFile: boolean;
}

/** Throws `source.notSupported` with what to install when `qemu-img` or `qemu-nbd` is not there. */
export function requireQemuTools(): void {
  const missing = ['qemu-img', 'qemu-nbd'].filter((program) => !isOnPath(program));
  if (missing.length === 0) return;
  throw new SourceError(
    'source.notSupported',
    `qcow2 disks are read and written by qemu-utils, and ${missing.join(' and ')} cannot be found here.`,
    {
      remedy:
        'Install it where the mover runs (Debian, Ubuntu: apt-get install qemu-utils), or use the raw format: as a source, that keeps the file as it is; as a target, a name that ends in .img or .raw.',
      details: { missing },
    },
  );
}

function isOnPath(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return folders.some((folder) => {
    try {
      fs.accessSync(path.join(folder, program), fs.constants.X_OK);
      return true;
    } catch {
      // Not in this one.
      return false;
    }
  });
}

/** Throws `source.notReadable` when it is no qcow2 disk, is damaged, or is in use by a running guest. */
export async function qcow2Info(file: string): Promise<VirtualDiskInfo> {
  try {
    // The file name must not be taken for an option or a protocol.
    const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', 'qcow2', '--', `file:${file}`]);
    const info = imageInfo.parse(JSON.parse(stdout));
    return {
      size: BigInt(info['virtual-size']),
      clusterSize: info['cluster-size'] ?? 65_536,
      hasBackingFile: info['backing-filename'] !== undefined,
    };
  } catch (cause) {
    throw notAQcow2Disk(file, cause);
  }
}

/** Makes an empty qcow2 disk. The path must not exist. */
export async function makeQcow2(file: string, size: bigint, clusterSize: number): Promise<void> {
  const options = `cluster_size=${clusterSize}`;
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', options, '--', `file:${file}`, `${size}`]);
}

/** What the programs wrote to standard error, without their own name. */
export function complaintOf(error: unknown): string {
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : '';
  const text = stderr.trim() || (error instanceof Error ? error.message : String(error));
  return text
    .split('\n')
    .join(' ')
    .replaceAll(/qemu-(img|nbd): /g, '');
}

export function notAQcow2Disk(file: string, cause: unknown): SourceError {
  const complaint = complaintOf(cause);
  const locked = /lock/i.test(complaint);
  return new SourceError(
    'source.notReadable',
    locked
      ? `The disk '${file}' is in use by a running guest (${complaint}).`
      : `The file '${file}' cannot be read as a qcow2 disk (${complaint}).`,
    {
      remedy: locked
        ? 'Shut the guest down, or take a snapshot and define that as the source: what is written while it is read would be a mixture.'
        : 'Correct the path or the format in the Source definition; format: raw keeps any file as it is.',
      retryable: locked,
      details: { path: file },
      cause,
    },
  );
}
