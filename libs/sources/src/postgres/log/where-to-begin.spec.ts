import { describe, expect, it } from '@jest/globals';
import { forkOf } from '../cluster/fork.ts';
import { stretchAfter } from './where-to-begin.ts';

/** Timeline 1 was left at 100, 2 at 200; the server is on 3. */
const switches = [
  { timeline: 1, position: 100n },
  { timeline: 2, position: 200n },
];
const second = forkOf(2, switches.slice(0, 1));
const third = forkOf(3, switches);

describe('where a log backup goes on, rules.md section 1', () => {
  it.each([
    ['on the timeline the server is on', 250n, third.fork, { timeline: 3, start: 250n, end: undefined }],
    [
      'a timeline that ended is covered to its end first',
      150n,
      second.fork,
      { timeline: 2, start: 150n, end: 200n },
    ],
    ['at its end the next one begins', 200n, second.fork, { timeline: 3, start: 200n, end: undefined }],
    [
      'promoted short of it: from the fork point on the new fork',
      170n,
      '1',
      { timeline: 2, start: 100n, end: 200n },
    ],
    [
      'before the fork began: on the one that it comes from, to its end first',
      150n,
      third.fork,
      { timeline: 2, start: 150n, end: 200n },
    ],
    ['over several of them', 50n, third.fork, { timeline: 1, start: 50n, end: 100n }],
    ['where the fork begins', 200n, third.fork, { timeline: 3, start: 200n, end: undefined }],
    [
      'nothing known: on the timeline the server is on',
      300n,
      undefined,
      { timeline: 3, start: 300n, end: undefined },
    ],
  ])('%s', (_rule, place, known, expected) => {
    expect(stretchAfter(place, known, 3, switches)).toMatchObject(expected);
  });

  it('says which fork it is, and where that left its parent', () => {
    expect(stretchAfter(200n, second.fork, 3, switches).fork).toEqual({
      fork: third.fork,
      forkParent: second.fork,
      forkAt: '200',
    });
  });

  it('a branch that the server does not come from is a gap by name', () => {
    const elsewhere = forkOf(2, [{ timeline: 1, position: 90n }]);
    expect(() => stretchAfter(120n, elsewhere.fork, 3, switches)).toThrow(/not in the history/);
  });
});
