import { renameSync, writeFileSync } from 'node:fs';

/** What a supervisor needs to know of a process that has started. */
export interface Announcement {
  readonly service: string;
  readonly instance: string;
  readonly pid: number;
  /** Base address of the health endpoints. */
  readonly health: string;
}

/** Writes the announcement to a file that appears whole or not at all. */
export function announceInFile(file: string, announcement: Announcement): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(announcement)}\n`, { mode: 0o600 });
  renameSync(unfinished, file);
}
