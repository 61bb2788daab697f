import { describe, expect, it } from '@jest/globals';
import { clocksSay } from './held-back.ts';

const NOW = Date.parse('2026-11-20T12:00:00.000Z');
const at = (time: string, recordedAt = time) => ({
  time: `2026-${time}:00.000Z`,
  recordedAt: `2026-${recordedAt}:00.000Z`,
});

describe('whether the clocks let anything expire, rules.md 5.7', () => {
  it.each([
    ['a fresh record of clocks that agree', at('11-20T11:00'), 'agree'],
    ['a record of an hour ahead', at('11-20T13:00'), 'agree'],
    ['nothing written for two days', at('11-18T11:00'), 'idle'],
    ['an empty log', undefined, 'idle'],
  ])('%s', (_name, newest, says) => {
    expect(clocksSay(newest, NOW)).toBe(says);
  });

  it.each([
    ['the log server is more than a day ahead of this machine', at('11-22T12:00')],
    ['the service that wrote last was more than a day ahead of the log', at('11-25T11:00', '11-20T11:00')],
    ['the service that wrote last was more than a day behind the log', at('11-10T11:00', '11-20T11:00')],
  ])('%s: nothing expires, and it is said', (_name, newest) => {
    expect(clocksSay(newest, NOW)).toEqual({ because: expect.stringContaining('Clocks disagree: ') });
  });
});
