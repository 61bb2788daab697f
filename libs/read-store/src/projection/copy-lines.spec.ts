import { describe, expect, it } from '@jest/globals';
import { CopyLines } from './copy-lines.ts';

const text = (lines: CopyLines) => Buffer.concat(lines.take()).toString();

describe('lines for COPY', () => {
  it('come out as they went in, however many and however long', () => {
    const lines = new CopyLines();
    const all = Array.from({ length: 3_000 }, (_, i) => `${i}\tä€🎈${'x'.repeat(i % 700)}\n`);
    all.push(`${'€'.repeat(300_000)}\n`, 'last\n');
    for (const line of all) lines.push(line);
    expect(lines.size).toBe(Buffer.byteLength(all.join('')));
    expect(text(lines)).toBe(all.join(''));
  });

  it('start anew when they were taken', () => {
    const lines = new CopyLines();
    lines.push('one\n');
    expect(text(lines)).toBe('one\n');
    expect(lines.size).toBe(0);
    expect(lines.take()).toEqual([]);
    lines.push('two\n');
    expect(text(lines)).toBe('two\n');
  });
});
