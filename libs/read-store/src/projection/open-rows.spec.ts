import { describe, expect, it } from '@jest/globals';
import type { AnyRecordedEvent } from '@catena/events';
import { RunRow } from '../rows/index.ts';
import { OpenRows } from './open-rows.ts';

/** What is to be written, readable. */
function changesOf(rows: OpenRows) {
  const { lines, ...closed } = rows.takeChanges();
  return { ...closed, lines: Buffer.concat(lines).toString() };
}

interface Step {
  readonly sequence: number;
  readonly id: string;
  /** What the row is after it; undefined: none. `same`: unchanged. */
  readonly row: string | undefined;
}

/** Rows of one text, and lines a person can read. */
function openRows() {
  const rows = new OpenRows(
    { name: 'thing', entity: RunRow, key: 'id', projector: { handlers: {} } },
    { statement: 'copy', line: (row, from, to) => `${String(row['text'])} [${from}, ${to ?? 'now'})\n` },
  );
  const apply = ({ sequence, id, row }: Step) => {
    const handler = {
      key: () => id,
      apply: (before: Record<string, unknown> | undefined) =>
        row === 'same' ? before : row === undefined ? undefined : { text: row },
    };
    rows.apply(id, handler, { sequence } as AnyRecordedEvent);
  };
  return { rows, apply };
}

describe('open rows', () => {
  it('write a version that began and ended in memory in one piece', () => {
    const { rows, apply } = openRows();
    rows.load('a', undefined, 0);
    apply({ sequence: 3, id: 'a', row: 'one' });
    apply({ sequence: 5, id: 'a', row: 'two' });
    apply({ sequence: 6, id: 'a', row: 'same' });
    expect(changesOf(rows)).toEqual({ lines: 'one [3, 5)\n', closedIds: [], closedAt: [] });
    rows.settle();
    expect(changesOf(rows).lines).toBe('two [5, now)\n');
    rows.settle();
    expect(changesOf(rows).lines).toBe('');
  });

  it('close a version that the table has', () => {
    const { rows, apply } = openRows();
    rows.load('a', { text: 'stored' }, 2);
    apply({ sequence: 7, id: 'a', row: 'next' });
    rows.settle();
    expect(changesOf(rows)).toEqual({ lines: 'next [7, now)\n', closedIds: ['a'], closedAt: [7] });
    apply({ sequence: 9, id: 'a', row: undefined });
    rows.settle();
    expect(changesOf(rows)).toEqual({ lines: '', closedIds: ['a'], closedAt: [9] });
  });

  it('begin again after there was none', () => {
    const { rows, apply } = openRows();
    rows.load('a', undefined, 0);
    apply({ sequence: 1, id: 'a', row: 'one' });
    apply({ sequence: 2, id: 'a', row: undefined });
    apply({ sequence: 4, id: 'a', row: 'again' });
    rows.settle();
    expect(changesOf(rows).lines).toBe('one [1, 2)\nagain [4, now)\n');
  });

  it('forget what was not used of late, and write it first', () => {
    const { rows, apply } = openRows();
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      rows.load(id, undefined, 0);
      apply({ sequence: index + 1, id, row: id });
    }
    expect(rows.forgetBeyond(3)).toEqual([]);
    expect(rows.forgetBeyond(2)).toEqual(['a']);
    expect(changesOf(rows).lines).toBe('a [1, now)\n');
    rows.load('d', undefined, 0);
    apply({ sequence: 4, id: 'b', row: 'same' });
    expect(rows.forgetBeyond(2)).toEqual(['c']);
    expect(rows.has('b')).toBe(true);
    expect(changesOf(rows).lines).toBe('c [3, now)\n');
  });

  it('refuse an event whose row was not loaded', () => {
    const { apply } = openRows();
    expect(() => apply({ sequence: 1, id: 'a', row: 'one' })).toThrow('was not loaded');
  });
});
