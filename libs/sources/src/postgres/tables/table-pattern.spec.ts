import { describe, expect, it } from '@jest/globals';
import { parseTablePattern } from './table-pattern.ts';

describe('the name of a table', () => {
  it.each([
    ['accounts', 'public', 'accounts', true],
    ['ACCOUNTS', 'public', 'accounts', true],
    ['accounts', 'sales', 'accounts', false],
    ['sales.accounts', 'sales', 'accounts', true],
    ['sales.*', 'sales', 'anything', true],
    ['sales.*', 'public', 'anything', false],
    ['s?les.acc*', 'sales', 'accounts', true],
    ['*.accounts', 'any where', 'accounts', true],
    ['"Odd.Name"', 'public', 'Odd.Name', true],
    ['"Odd.Name"', 'public', 'odd.name', false],
    ['"a""b".c', 'a"b', 'c', true],
    ['"a*"', 'public', 'a*', true],
    ['"a*"', 'public', 'ab', false],
    ['a+b', 'public', 'aab', false],
    ['a+b', 'public', 'a+b', true],
  ])('%s in %s is %s: %s', (pattern, schema, name, expected) => {
    expect(parseTablePattern(pattern)({ schema, name })).toBe(expected);
  });

  it.each(['', 'a.b.c', '"open', 'a.', '.b'])('%j is none', (text) => {
    expect(() => parseTablePattern(text)).toThrow(/is not the name of a table/);
  });
});
