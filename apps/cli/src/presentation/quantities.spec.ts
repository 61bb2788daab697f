import { describe, expect, it } from '@jest/globals';
import { formatBytes, formatDuration, formatInstant, sentence } from './quantities.ts';

describe('quantities as people read them', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [200 * 1024 * 1024, '200 MiB'],
    [3 * 1024 ** 4, '3.0 TiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [12, '12 ms'],
    [12_340, '12.3 s'],
    [59_960, '1 min 0 s'],
    [250_000, '4 min 10 s'],
    [299_700, '5 min 0 s'],
    [7_500_000, '2 h 5 min'],
  ])('%d milliseconds are %s', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));

  it.each([
    ['It is gone.', 'It is gone.'],
    ['ENOSPC: no space left, write', 'ENOSPC: no space left, write.'],
  ])('ends %j where a sentence follows', (text, ended) => expect(sentence(text)).toBe(ended));

  it('shows an instant to the second and an absent one as a dash', () => {
    expect(formatInstant('2026-03-01T12:00:05.123Z')).toBe('2026-03-01 12:00:05Z');
    expect(formatInstant(undefined)).toBe('-');
  });
});
