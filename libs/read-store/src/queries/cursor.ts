import { CatenaError } from '@catena/events';

/** Where a page ended: the moment it answered for, so that all pages of one list do, and the sort keys of its last item. */
export interface Cursor {
  readonly sequence: number;
  readonly keys: readonly (string | number)[];
}

/** @param list the list's name, so that a cursor of another list is noticed */
export function encodeCursor(list: string, { sequence, keys }: Cursor): string {
  return Buffer.from(JSON.stringify([list, sequence, ...keys])).toString('base64url');
}

/** @throws CatenaError `read-store.cursor-invalid` */
export function decodeCursor(list: string, text: string): Cursor {
  const [of, sequence, ...keys] = parse(text);
  const plain = keys.every((key) => typeof key === 'string' || typeof key === 'number');
  if (of !== list || !Number.isSafeInteger(sequence) || keys.length === 0 || !plain) {
    throw new CatenaError('read-store.cursor-invalid', `"${text}" is not where a page of ${list} ended.`, {
      remedy: 'Pass "next" of the page before as it is, with the same question.',
    });
  }
  return { sequence: sequence as number, keys: keys };
}

function parse(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) ? (value as readonly unknown[]) : [];
  } catch {
    // Whatever cannot be read is not a cursor; the caller says so.
    return [];
  }
}
