import { entryMatcher, readableBytes, rootedGlobs, type EntryFilter, type EntryKind } from '@catena/vault';
import type { BackupReader, StoredEntry } from '@catena/vault';
import type { BackupView } from '@catena/events';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { BACKUP_ARGUMENT } from '../backup-choice.ts';
import { entryFields, longLine, shownPath } from '../browse/entry-text.ts';
import { BackupOpener, browseOptions, type BrowseOptions } from '../browse/open-backup.ts';
import { Output } from '../browse/output.ts';
import { instant, subcommand, type Act } from '../command-line.ts';
import type { Invocation } from '../invocation.ts';
import { formatInstant } from '../presentation/quantities.ts';

interface FindOptions extends BrowseOptions {
  kind?: string;
  larger?: bigint;
  smaller?: bigint;
  newer?: string;
  older?: string;
  long?: boolean;
  everywhere?: boolean;
}

const KINDS: readonly EntryKind[] = [
  'file',
  'folder',
  'symlink',
  'fifo',
  'socket',
  'blockDevice',
  'characterDevice',
];
const FACTORS: Record<string, bigint> = { '': 1n, k: 1n << 10n, m: 1n << 20n, g: 1n << 30n, t: 1n << 40n };

/** `10M`, `1.5 GiB`, `300`: bytes, in powers of 1024. */
export function byteCount(text: string): bigint {
  const [, whole, fraction = '', unit = ''] =
    /^(\d+)(?:\.(\d{1,3}))? ?([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const factor = FACTORS[unit.toLowerCase()];
  if (whole === undefined || factor === undefined)
    throw new InvalidArgumentError('Expected a size, as 300, 10M or 1.5GiB.');
  return BigInt(whole) * factor + (BigInt(fraction.padEnd(3, '0')) * factor) / 1000n;
}

const nanoseconds = (time: string) => BigInt(Date.parse(time)) * 1_000_000n;

function filterOf(globs: readonly string[], options: FindOptions): EntryFilter {
  const { kind, larger, smaller, newer, older } = options;
  return {
    ...(globs.length > 0 ? { globs } : {}),
    ...(kind === undefined ? {} : { kinds: KINDS.filter((one) => one === kind) }),
    ...(larger === undefined ? {} : { atLeast: larger }),
    ...(smaller === undefined ? {} : { atMost: smaller }),
    ...(newer === undefined ? {} : { since: nanoseconds(newer) }),
    ...(older === undefined ? {} : { before: nanoseconds(older) }),
  };
}

async function* found(reader: BackupReader, filter: EntryFilter): AsyncGenerator<StoredEntry> {
  const isMeant = entryMatcher(filter);
  const selection = filter.globs === undefined ? {} : { globs: rootedGlobs(filter.globs) };
  for await (const entry of reader.entries(selection)) if (isMeant(entry)) yield entry;
}

async function findIn(
  cli: Invocation,
  reader: BackupReader,
  filter: EntryFilter,
  long: boolean,
): Promise<void> {
  const out = new Output();
  try {
    for await (const entry of found(reader, filter)) {
      if (cli.json) await out.line(JSON.stringify(entryFields(entry)));
      else await out.line(long ? longLine(entry, false) : shownPath(entry));
    }
  } finally {
    await out.flush();
  }
}

const versionOf = ({ kind, size, mtime, content, linkTarget }: StoredEntry) =>
  `${kind} ${size} ${mtime} ${Buffer.from(content?.sha256 ?? content?.encoded ?? linkTarget ?? []).toString('hex')}`;

/** Each version of what is found, by the oldest backup that has it, and from when on it is there no more. */
async function findEverywhere(
  cli: Invocation,
  opener: BackupOpener,
  backups: readonly BackupView[],
  filter: EntryFilter,
): Promise<void> {
  const out = new Output();
  let before = new Map<string, string>();
  const tell = (backup: BackupView, path: string, entry: StoredEntry | undefined) => {
    const { backup: id, asOf } = backup;
    if (cli.json)
      return out.line(
        JSON.stringify({ backup: id, asOf, ...(entry ? entryFields(entry) : { path, gone: true }) }),
      );
    const what = entry === undefined ? `gone: ${path}` : longLine(entry, false);
    return out.line(`${formatInstant(asOf)}  ${id}  ${what}`);
  };
  for (const backup of backups) {
    const now = new Map<string, string>();
    for await (const entry of found(await opener.openView(backup), filter)) {
      const path = readableBytes(entry.path);
      now.set(path, versionOf(entry));
      if (before.get(path) !== now.get(path)) await tell(backup, path, entry);
    }
    for (const path of before.keys()) if (!now.has(path)) await tell(backup, path, undefined);
    before = now;
  }
  await out.flush();
}

/** `catena find`: where something is in a backup, or in which backups it is. */
export function addFind(program: Command, act: Act): void {
  browseOptions(
    subcommand(
      program,
      'find',
      'Finds files in a backup, or in all backups of a source',
      "catena find home '*.pdf' --newer 2026-01-01T00:00:00Z\ncatena find home 'documents/**/letter*' --larger 10M -l\ncatena find home --everywhere letter.txt      # each version, and which backup has it\ncatena find --repository /mnt/vault --key-file vault.key home letter.txt",
    ),
  )
    .argument('<backup>', BACKUP_ARGUMENT)
    .argument('[globs...]', 'names (letter*), or paths from the root of the source (documents/**/letter*)')
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(KINDS))
    .option('--larger <size>', 'only files of at least so many bytes: 300, 10M, 1.5GiB', byteCount)
    .option('--smaller <size>', 'only files of at most so many bytes', byteCount)
    .option('--newer <time>', 'only what was changed at this time or after it', instant)
    .option('--older <time>', 'only what was changed before this time', instant)
    .option('-l, --long', 'permissions, owner, size and time too')
    .option('--everywhere', 'in all backups of the source: each version with the oldest backup that has it')
    .action(
      act(async (cli, backup: string, globs: string[], options: FindOptions) => {
        await using opener = new BackupOpener(cli, options);
        const filter = filterOf(globs, options);
        if (options.everywhere === true)
          await findEverywhere(cli, opener, await opener.allOfSource(backup), filter);
        else await findIn(cli, (await opener.open(backup)).reader, filter, options.long ?? false);
      }),
    );
}
