import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeError } from '@catena/events';
import { ClientGoneError, say } from './answer.ts';
import { sendFile } from './send-file.ts';
import { sendPage, sendProperties, type Segments } from './send-folder.ts';
import { namesIn, segmentOf } from './served-names.ts';
import type { ServedPlace, ServedPlaces } from './served-place.ts';

const METHODS = ['OPTIONS', 'GET', 'HEAD', 'PROPFIND'];
const ALLOW = METHODS.join(', ');

export interface DavOptions {
  /** What a client must know, whatever it calls itself. */
  readonly password?: string;
  /** Host names by which it may be called; any when absent. So a web page of somebody else cannot read through a browser. */
  readonly hosts?: ReadonlySet<string>;
  /** Told of what could not be read. */
  readonly onError: (path: string, error: unknown) => void;
}

/** Backups by WebDAV (RFC 4918, class 1), for browsers too. Nothing can be changed. */
export function davServer(places: ServedPlaces, options: DavOptions): Server {
  return createServer((request, response) => {
    answer(places, options, request, response).catch((error: unknown) => {
      if (error instanceof ClientGoneError || response.destroyed) {
        response.destroy();
        return;
      }
      options.onError(request.url ?? '', error);
      // What was promised cannot be sent: the client must see that it did not get all.
      if (response.headersSent) response.destroy();
      else say(response, 500, describeError(error).message);
    });
  });
}

async function answer(
  places: ServedPlaces,
  options: DavOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '/' } = request;
  if (!isAllowed(options, request, response)) return;
  if (method === 'OPTIONS') {
    response.writeHead(200, { allow: ALLOW, dav: '1', 'ms-author-via': 'DAV', 'content-length': 0 });
    response.end();
    return;
  }
  if (!METHODS.includes(method)) {
    say(response, 405, 'Backups can be read and nothing else.', { allow: ALLOW });
    return;
  }
  const names = namesIn(url);
  const place = await places.find(names);
  if (place === undefined) {
    say(response, 404, 'There is nothing of this name.');
    return;
  }
  try {
    await sendPlace(request, response, place, names.map(segmentOf));
  } finally {
    if (place.kind === 'entry') await place.tree.release();
  }
}

async function sendPlace(
  request: IncomingMessage,
  response: ServerResponse,
  place: ServedPlace,
  segments: Segments,
): Promise<void> {
  if (request.method === 'PROPFIND') await sendProperties(request, response, place, segments);
  else if (place.kind === 'entry' && !place.entry.isFolder)
    await sendFile(request, response, place.tree, place.entry);
  else await sendPage(request, response, place, segments);
}

const digestOf = (text: string) => createHash('sha256').update(text).digest();

function isAllowed(
  { hosts, password }: DavOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { host = '', authorization = '' } = request.headers;
  if (hosts !== undefined && !hosts.has(host.replace(/:\d+$/, '').toLowerCase())) {
    say(response, 403, 'This is not served under that name.');
    return false;
  }
  if (password === undefined) return true;
  const [, encoded = ''] = /^Basic (\S+)$/i.exec(authorization) ?? [];
  const given = Buffer.from(encoded, 'base64')
    .toString('utf8')
    .replace(/^[^:]*:/, '');
  if (timingSafeEqual(digestOf(given), digestOf(password))) return true;
  say(response, 401, 'A password is needed.', {
    'www-authenticate': 'Basic realm="catena", charset="UTF-8"',
  });
  return false;
}
