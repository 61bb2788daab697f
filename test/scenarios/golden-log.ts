import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReadModelDigest } from '@catena/read-store';

/** Where the recorded logs are: one folder for each version that recorded one. */
export const GOLDEN_LOGS = fileURLToPath(new URL('../golden/log/', import.meta.url));

/** What a recorded log must give, for ever. */
export interface Expected {
  /** Of the read models when it was recorded; a later one may have other tables and still gives these answers. */
  readonly readModelVersion: number;
  readonly digest: ReadModelDigest;
  /** Every list at its end. */
  readonly answers: Record<string, unknown[]>;
  /** Every list as of times on the way. */
  readonly asOf: readonly { readonly at: string; readonly answers: Record<string, unknown[]> }[];
}

/** One recorded log. */
export class GoldenLog {
  readonly version: string;

  constructor(version: string) {
    this.version = version;
  }

  /** All that were ever recorded, oldest first. */
  static all(): GoldenLog[] {
    return readdirSync(GOLDEN_LOGS)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map((version) => new GoldenLog(version));
  }

  get folder(): string {
    return path.join(GOLDEN_LOGS, this.version);
  }

  get logFile(): string {
    return path.join(this.folder, 'log.zst');
  }

  get expectedFile(): string {
    return path.join(this.folder, 'expected.json');
  }

  /** The bytes of the export. */
  readonly open = (): AsyncIterable<Uint8Array> => createReadStream(this.logFile);

  expected(): Expected {
    return JSON.parse(readFileSync(this.expectedFile, 'utf8')) as Expected;
  }
}
