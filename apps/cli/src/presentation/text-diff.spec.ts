import { describe, expect, it } from '@jest/globals';
import { diffLines } from './text-diff.ts';

describe('a difference of texts', () => {
  it('issue 6.5: shows what goes, what comes and what stays', () => {
    expect(diffLines('a\nb\nc', 'a\nx\nc\nd')).toEqual(['  a', '- b', '+ x', '  c', '+ d']);
    expect(diffLines('', 'a')).toEqual(['+ a']);
    expect(diffLines('a', '')).toEqual(['- a']);
    expect(diffLines('a', 'a')).toEqual(['  a']);
  });
});
