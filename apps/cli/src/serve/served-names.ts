import { bytesOfReadable, readableBytes } from '@catena/vault';

/** A name as one segment of a URL: text that every client can show, and from which the bytes can be had back. */
export function segmentOf(name: Uint8Array): string {
  return encodeURIComponent(readableBytes(name));
}

/** The bytes that a segment of a URL stands for; bytes that are not UTF-8 may also come as they are, as `%FF`. */
export function nameOf(segment: string): Uint8Array {
  const bytes = percentDecoded(segment);
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? bytesOfReadable(text) : bytes;
}

function percentDecoded(segment: string): Buffer {
  const parts = segment
    .split(/(%[0-9a-fA-F]{2})/)
    .map((part, index) => (index % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part, 'utf8')));
  return Buffer.concat(parts);
}

/** The names that a request's path consists of. */
export function namesIn(url: string): Uint8Array[] {
  const [path = ''] = url.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/);
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map(nameOf);
}
