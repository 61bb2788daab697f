export type * from './port/entry.ts';
export * from './port/path-order.ts';
export type * from './port/backup-writer.ts';
export * from './port/backup-reader.ts';
export type * from './port/manifest.ts';
export type * from './port/object-store.ts';
