import { readableBytes, type BackupReader, type StoredEntry } from '@catena/vault';
import type { Command } from 'commander';
import { BACKUP_ARGUMENT } from '../backup-choice.ts';
import { entryAt } from '../browse/entry-paths.ts';
import { entryFields } from '../browse/entry-text.ts';
import { BackupOpener, browseOptions, type BrowseOptions } from '../browse/open-backup.ts';
import { Output } from '../browse/output.ts';
import { subcommand, wholeNumber, type Act } from '../command-line.ts';
import { NotPossibleError, UsageError, type Invocation } from '../invocation.ts';
import { formatBytes } from '../presentation/quantities.ts';

interface CatOptions extends BrowseOptions {
  offset: number;
  length?: number;
}

const PIECE = 1024 * 1024;
/** What fits into one JSON document without filling the memory of who reads it. */
const MOST_IN_JSON = 16 * 1024 * 1024;

/** The entry that has the bytes: the first name of a file that has several. */
async function fileAt(reader: BackupReader, path: string): Promise<StoredEntry> {
  const entry = await entryAt(reader, path);
  const file = entry.hardLink === undefined ? entry : await reader.find(entry.hardLink);
  if (file?.content !== undefined) return file;
  throw new NotPossibleError(
    `"${path}" is a ${entry.kind}${entry.linkTarget === undefined ? '' : ` to ${readableBytes(entry.linkTarget)}`}, not a file.`,
    'Only files have bytes. See what it is: catena ls -ld',
  );
}

/** A part of a file, or all of it; what comes is verified, and the last step throws when the whole is not as it was. */
async function* bytesOf(
  reader: BackupReader,
  file: StoredEntry,
  { offset, length }: CatOptions,
): AsyncGenerator<Uint8Array> {
  const size = Number(file.content?.size ?? 0n);
  if (offset === 0 && (length === undefined || length >= size)) {
    yield* reader.content(file);
    return;
  }
  const end = length === undefined ? size : Math.min(size, offset + length);
  for (let at = offset; at < end; at += PIECE)
    yield await reader.contentRange(file, BigInt(at), Math.min(PIECE, end - at));
}

async function answerWithBytes(cli: Invocation, file: StoredEntry, bytes: AsyncIterable<Uint8Array>) {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > MOST_IN_JSON)
      throw new UsageError(
        `More than ${formatBytes(MOST_IN_JSON)} do not go into one JSON document.`,
        'Leave --json out, or ask for parts with --offset and --length.',
      );
    pieces.push(Uint8Array.from(piece));
  }
  cli.answer({ ...entryFields(file), contentBase64: Buffer.concat(pieces).toString('base64') });
}

/** `catena cat`: one file of a backup. */
export function addCat(program: Command, act: Act): void {
  browseOptions(
    subcommand(
      program,
      'cat',
      'Writes one file of a backup, verified, to standard output',
      'catena cat home documents/letter.txt\ncatena cat home@2026-03-01T18:00:00Z disk.img --offset 1048576 --length 512 | xxd\ncatena cat --repository /mnt/vault --key-file vault.key home notes.txt > notes.txt',
    ),
  )
    .argument('<backup>', BACKUP_ARGUMENT)
    .argument('<path>', 'the file, from the root of the source, as "catena ls" shows it')
    .option('--offset <bytes>', 'begin there', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--length <bytes>', 'at most so many', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .action(
      act(async (cli, backup: string, path: string, options: CatOptions) => {
        await using opener = new BackupOpener(cli, options);
        const { reader } = await opener.open(backup);
        const file = await fileAt(reader, path);
        const bytes = bytesOf(reader, file, options);
        if (cli.json) {
          await answerWithBytes(cli, file, bytes);
          return;
        }
        const out = new Output();
        for await (const piece of bytes) {
          cli.signal.throwIfAborted();
          await out.bytes(piece);
        }
      }),
    );
}
