import type { IncomingMessage, ServerResponse } from 'node:http';
import { say, send } from './answer.ts';
import { describe, MULTISTATUS_BEGIN, MULTISTATUS_END, readPropfind, xmlText } from './propfind.ts';
import { propertiesOf, resourceAt, resourcesIn, type Resource } from './resource.ts';
import type { ServedPlace } from './served-place.ts';

const MOST_BODY = 64 * 1024;
/** Entries that are described before the answer begins: what is damaged within them is still an error of the whole. */
const BATCH = 500;

/** Where a resource is asked for, as segments of a URL. */
export type Segments = readonly string[];

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size <= MOST_BODY) pieces.push(piece);
  }
  return size > MOST_BODY ? undefined : Buffer.concat(pieces).toString('utf8');
}

function hrefOf(segments: Segments, { isFolder }: Resource): string {
  const path = segments.map((segment) => `/${segment}`).join('');
  return isFolder ? `${path}/` : path;
}

const displayName = (segment: string) => xmlText(decodeURIComponent(segment));

/** Sends lines in batches; the head goes out with the first one. */
async function sendLines(
  response: ServerResponse,
  head: () => void,
  lines: AsyncIterable<string>,
): Promise<void> {
  let batch: string[] = [];
  for await (const line of lines) {
    batch.push(line);
    if (batch.length < BATCH) continue;
    if (!response.headersSent) head();
    await send(response, batch.join(''));
    batch = [];
  }
  if (!response.headersSent) head();
  response.end(batch.join(''));
}

/** Answers PROPFIND for a place and, with depth 1, what is in it. @throws DamagedObjectError */
export async function sendProperties(
  request: IncomingMessage,
  response: ServerResponse,
  place: ServedPlace,
  segments: Segments,
): Promise<void> {
  const body = await bodyOf(request);
  const { depth = 'infinity' } = request.headers;
  if (depth !== '0' && depth !== '1') {
    response.writeHead(403, { 'content-type': 'application/xml; charset=utf-8' });
    response.end(
      '<?xml version="1.0" encoding="utf-8"?>\n<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>\n',
    );
    return;
  }
  const wanted = body === undefined ? undefined : readPropfind(body);
  if (wanted === undefined) {
    say(response, 400, 'The body is no PROPFIND.');
    return;
  }
  const described = (resource: Resource, at: Segments) =>
    describe(
      { href: hrefOf(at, resource), properties: propertiesOf(resource, displayName(at.at(-1) ?? '')) },
      wanted,
    );
  async function* lines(): AsyncGenerator<string> {
    yield MULTISTATUS_BEGIN;
    yield described(resourceAt(place, segments.at(-1) ?? ''), segments);
    if (depth === '1')
      for await (const child of resourcesIn(place)) yield described(child, [...segments, child.segment]);
    yield MULTISTATUS_END;
  }
  const head = () => response.writeHead(207, { 'content-type': 'application/xml; charset=utf-8' });
  await sendLines(response, head, lines());
}

/** A folder for browsers. @throws DamagedObjectError */
export async function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  place: ServedPlace,
  segments: Segments,
): Promise<void> {
  const head = () =>
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    });
  if (request.method === 'HEAD') {
    head();
    response.end();
    return;
  }
  const title = `/${segments.map((segment) => decodeURIComponent(segment)).join('/')}`;
  async function* lines(): AsyncGenerator<string> {
    yield `<!doctype html>\n<meta charset="utf-8">\n<title>${xmlText(title)}</title>\n`;
    yield '<style>body{font:15px/1.6 system-ui;margin:2em}td{padding-right:2em}.n{text-align:right}</style>\n';
    yield `<h1>${xmlText(title)}</h1>\n<table>\n`;
    if (segments.length > 0)
      yield `<tr><td><a href="${hrefOf(segments.slice(0, -1), PARENT)}">..</a></td></tr>\n`;
    for await (const child of resourcesIn(place)) yield row(child, [...segments, child.segment]);
    yield '</table>\n';
  }
  await sendLines(response, head, lines());
}

const PARENT: Resource = { isFolder: true, segment: '', bytes: 0n, modified: undefined, tag: '' };

function row(child: Resource, segments: Segments): string {
  const name = `${displayName(child.segment)}${child.isFolder ? '/' : ''}`;
  const time = child.modified?.toISOString().slice(0, 19).replace('T', ' ') ?? '';
  const size = child.isFolder ? '' : String(child.bytes);
  return `<tr><td><a href="${xmlText(hrefOf(segments, child))}">${name}</a></td><td class="n">${size}</td><td>${time}</td></tr>\n`;
}
