import { z } from 'zod';
import { filesSource, filesSourceWithDefaults, type FilesSource } from './files-source.ts';

/** What is protected, by driver. A new driver is one more member. */
export const sourceSpec = z
  .discriminatedUnion('driver', [filesSource], { error: 'one of files' })
  .meta({ title: 'Source' });

/** A Source's spec with its defaults. */
export type SourceSpec = FilesSource;

export function sourceWithDefaults(spec: z.infer<typeof sourceSpec>): SourceSpec {
  return filesSourceWithDefaults(spec);
}

/** What a Source says under its driver's name: what the driver of that name is given. */
export function driverSpecOf(spec: SourceSpec): unknown {
  return spec.files;
}

/** Where on the mover's machine a source is; undefined for one that is not at a path. */
export function sourcePathOf(spec: SourceSpec): string | undefined {
  return spec.files.path;
}

const DRIVERS_WITH_LOG: ReadonlySet<string> = new Set(['postgres']);

/** Whether a source keeps a log of its own that can be backed up. */
export function keepsLog({ driver }: { readonly driver?: unknown }): boolean {
  return typeof driver === 'string' && DRIVERS_WITH_LOG.has(driver);
}
