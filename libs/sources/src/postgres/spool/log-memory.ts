/**
 * What manifests say of the log that backups hold, remembered in a file between one `wal fetch` and the next: to say that no backup holds a
 * file all of them must be known, and a recovering server asks for what is not there again and again. Manifests never
 * change, so what was read of one holds for as long as its folder is there. What is not understood here is read again.
 */
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const position = z.string().regex(/^\d+$/).transform(BigInt);

/** A backup with log in it: a log backup, or a data backup for the log that it carries. */
const rememberedLog = z.object({
  backup: z.string(),
  /** Name of its manifest. */
  name: z.string(),
  isLog: z.boolean(),
  timeline: z.number(),
  /** The one that its server was on, whose history file it holds; absent when it does not say. */
  serverTimeline: z.number().optional(),
  start: position,
  end: position,
  segmentSize: position,
});
export type LogManifest = Readonly<z.infer<typeof rememberedLog>>;

/** A folder, and what its backup has of the log; null when that is nothing. */
export type Remembered = readonly [folder: string, log: LogManifest | null];

const line = z.tuple([z.string(), rememberedLog.nullable()]);
/** Changes with what a line means. */
const VERSION = 1;
/** So many lines of backups that are gone are worth writing the others anew. */
const MOST_FORGOTTEN = 1000;

export class LogMemory {
  readonly #folder: string;
  readonly #file: string;
  readonly #failed: (error: Error) => void;

  /**
   * @param folder where the files are; it is made when there is something to remember
   * @param collection whose backups: a name that no collection of any other repository has
   * @param failed is told that nothing can be kept there; the answers are right without
   */
  constructor(folder: string, collection: string, failed: (error: Error) => void) {
    this.#folder = folder;
    this.#file = path.join(folder, `${collection}.${VERSION}.jsonl`);
    this.#failed = failed;
  }

  async read(): Promise<Map<string, LogManifest | null>> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    return new Map(text.split('\n').flatMap(readLine));
  }

  /** @param there folders of backups that are there: of others nothing is kept for long */
  async keep(
    known: ReadonlyMap<string, LogManifest | null>,
    learnt: readonly Remembered[],
    there: ReadonlySet<string>,
  ): Promise<void> {
    const forgotten = [...known.keys()].filter((folder) => !there.has(folder)).length;
    if (learnt.length === 0 && forgotten <= MOST_FORGOTTEN) return;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      if (forgotten <= MOST_FORGOTTEN) {
        // Behind what a process that was killed may have begun to write.
        await appendFile(this.#file, `\n${learnt.map(textOf).join('\n')}\n`, { mode: 0o600 });
        return;
      }
      const all = [...[...known].filter(([folder]) => there.has(folder)), ...learnt];
      const anew = `${this.#file}.${process.pid}`;
      await writeFile(anew, `${all.map(textOf).join('\n')}\n`, { mode: 0o600 });
      await rename(anew, this.#file);
    } catch (error) {
      this.#failed(error as Error);
    }
  }
}

function textOf([folder, log]: Remembered): string {
  return JSON.stringify([folder, log], (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

function readLine(text: string): [string, LogManifest | null][] {
  if (text === '') return [];
  try {
    const read = line.safeParse(JSON.parse(text));
    return read.success ? [read.data] : [];
  } catch {
    // Cut short, or not ours: the manifest is read again.
    return [];
  }
}
