/** A part of a file, its last byte included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The range that a request asks for (RFC 9110, section 14). `undefined`: all of it, also where the header cannot be read or
 * asks for several ranges, which a server may leave aside; `'none'`: nothing of the file lies in it.
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | 'none' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length === 0 ? 'none' : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < first) return undefined;
  return first >= size ? 'none' : { first, last };
}
