import { bytesOfReadable, globMatcher, isGlob, type BackupReader, type StoredEntry } from '@catena/vault';
import { NotPossibleError } from '../invocation.ts';

/** The path that a person means, from the root of the source: `./a/b/`, `/a/b` and `a/b` are one. */
export function pathOf(text: string): Uint8Array {
  return bytesOfReadable(text.replace(/^(?:\.?\/)+|^\.$|\/+$/g, ''));
}

/** What `path` names. @throws NotPossibleError when the backup does not have it */
export async function entryAt(reader: BackupReader, text: string): Promise<StoredEntry> {
  const entry = await reader.find(pathOf(text));
  if (entry === undefined) throw notThere(reader, text);
  return entry;
}

function notThere(reader: BackupReader, text: string): NotPossibleError {
  return new NotPossibleError(
    `There is no "${text}" in the backup ${reader.manifest.backup}.`,
    `Look for it: catena find ${reader.manifest.backup} '*${text.split('/').at(-1) ?? ''}*'`,
  );
}

/** How far a listing goes. */
export interface Reach {
  /** Everything beneath a folder, not only what is directly in it. */
  readonly recursive: boolean;
  /** A folder itself instead of what is in it. */
  readonly itself: boolean;
}

/** The entries that a listing of some paths and globs shows. Without any: of the root. */
export async function* listed(
  reader: BackupReader,
  texts: readonly string[],
  reach: Reach,
): AsyncGenerator<StoredEntry> {
  for (const text of texts.length === 0 ? [''] : texts) {
    // A name may have in it what globs are made of.
    const entry = await reader.find(pathOf(text));
    if (entry !== undefined) yield* ofEntry(reader, entry, reach);
    else if (isGlob(text)) yield* ofGlob(reader, text, reach);
    else throw notThere(reader, text);
  }
}

async function* ofEntry(
  reader: BackupReader,
  entry: StoredEntry,
  { recursive, itself }: Reach,
): AsyncGenerator<StoredEntry> {
  if (recursive) yield* reader.entries({ under: entry.path });
  else if (entry.kind === 'folder' && !itself) yield* reader.entries({ directlyIn: entry.path });
  else yield entry;
}

async function* ofGlob(
  reader: BackupReader,
  glob: string,
  { recursive }: Reach,
): AsyncGenerator<StoredEntry> {
  const isMeant = globMatcher([glob], recursive ? 'with what is beneath' : 'itself');
  for await (const entry of reader.entries({ globs: [glob] })) if (isMeant(entry.path)) yield entry;
}
