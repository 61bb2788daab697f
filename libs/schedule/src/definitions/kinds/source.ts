import { z } from 'zod';
import { filesSource, filesSourceWithDefaults, type FilesSource } from './files-source.ts';
import { imageSource, imageSourceWithDefaults, type ImageSource } from './image-source.ts';
import { postgresSource, postgresSourceWithDefaults, type PostgresSource } from './postgres-source.ts';

/** What is protected, by driver. A new driver is one more member. */
export const sourceSpec = z
  .discriminatedUnion('driver', [filesSource, imageSource, postgresSource], {
    error: 'one of files, image, postgres',
  })
  .meta({ title: 'Source' });

/** A Source's spec with its defaults. */
export type SourceSpec = FilesSource | ImageSource | PostgresSource;

export function sourceWithDefaults(spec: z.infer<typeof sourceSpec>): SourceSpec {
  switch (spec.driver) {
    case 'files':
      return filesSourceWithDefaults(spec);
    case 'image':
      return imageSourceWithDefaults(spec);
    case 'postgres':
      return postgresSourceWithDefaults(spec);
  }
}

/** What a Source says under its driver's name: what the driver of that name is given. */
export function driverSpecOf(spec: SourceSpec): unknown {
  switch (spec.driver) {
    case 'files':
      return spec.files;
    case 'image':
      return spec.image;
    case 'postgres':
      return spec.postgres;
  }
}

/** Where on the mover's machine a source is; undefined for one that is not at a path. */
export function sourcePathOf(spec: SourceSpec): string | undefined {
  switch (spec.driver) {
    case 'files':
      return spec.files.path;
    case 'image':
      return spec.image.path;
    case 'postgres':
      return undefined;
  }
}

/** Where a source is, for people. */
export function sourcePlaceOf(spec: SourceSpec): string {
  if (spec.driver === 'postgres') return `${spec.postgres.host}:${spec.postgres.port}`;
  return sourcePathOf(spec) ?? '';
}

const DRIVERS_WITH_LOG: ReadonlySet<string> = new Set(['postgres']);

/** Whether a source keeps a log of its own that can be backed up. */
export function keepsLog({ driver }: { readonly driver?: unknown }): boolean {
  return typeof driver === 'string' && DRIVERS_WITH_LOG.has(driver);
}
