import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { ClientGoneError, say, send } from './answer.ts';
import type { BackupTree, ServedEntry } from './backup-tree.ts';
import { rangeOf, type ByteRange } from './byte-range.ts';
import { resourceOf } from './resource.ts';

const PIECE = 1024 * 1024;

/** Whether one of the tags in a header is this one; `*` is any. */
function names(header: string | undefined, tag: string): boolean {
  return header?.split(',').some((one) => ['*', tag, `W/${tag}`].includes(one.trim())) ?? false;
}

/** The range that is asked for, unless the client has a part of something else. */
function rangeAsked({ headers }: IncomingMessage, tag: string, size: number): ByteRange | 'none' | undefined {
  const condition = headers['if-range'];
  return condition !== undefined && condition !== tag ? undefined : rangeOf(headers.range, size);
}

/** Answers GET and HEAD of a file. Bytes that cannot be verified are never sent. @throws DamagedObjectError */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  tree: BackupTree,
  entry: ServedEntry,
): Promise<void> {
  const { tag, modified } = resourceOf(entry);
  const size = Number(entry.bytes);
  const headers = {
    etag: tag,
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    ...(modified === undefined ? {} : { 'last-modified': modified.toUTCString() }),
  };
  if (names(request.headers['if-none-match'], tag)) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  const range = rangeAsked(request, tag, size);
  if (range === 'none') {
    say(response, 416, 'The file is shorter than that.', { ...headers, 'content-range': `bytes */${size}` });
    return;
  }
  const first = range?.first ?? 0;
  const length = range === undefined ? size : range.last - first + 1;
  const head = () =>
    response.writeHead(range === undefined ? 200 : 206, {
      ...headers,
      // A page of a backup must not run as a page of this server.
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'content-length': length,
      ...(range === undefined ? {} : { 'content-range': `bytes ${first}-${range.last}/${size}` }),
    });
  if (request.method === 'HEAD') {
    head();
    response.end();
    return;
  }
  const bytes = range === undefined ? tree.reader.content(entry.entry) : partOf(tree, entry, first, length);
  await sendVerified(response, head, bytes);
}

/** Blocks of a part are each checked against their identity. */
async function* partOf(
  tree: BackupTree,
  { entry }: ServedEntry,
  first: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  const end = first + length;
  for (let at = first; at < end; at += PIECE)
    yield await tree.reader.contentRange(entry, BigInt(at), Math.min(PIECE, end - at));
}

/**
 * Sends what comes, one piece late: when the check at the end of a file fails, its last piece has not been sent, so no client
 * takes what it got for the file.
 */
async function sendVerified(
  response: ServerResponse,
  head: () => void,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  let held: Uint8Array | undefined;
  for await (const piece of bytes) {
    if (piece.length === 0) continue;
    if (held !== undefined) {
      if (!response.headersSent) head();
      await send(response, held);
    }
    held = Uint8Array.from(piece);
  }
  if (!response.headersSent) head();
  if (response.destroyed) throw new ClientGoneError('the client went away');
  response.end(held);
  if (!response.writableFinished) await Promise.race([once(response, 'finish'), once(response, 'close')]);
}
