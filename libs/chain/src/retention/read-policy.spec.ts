import { describe, expect, it } from '@jest/globals';
import { readRetentionPolicy } from './read-policy.ts';

describe('reading a retention policy, rules.md 5.3', () => {
  it.each<[string, unknown, string, string?]>([
    ['an empty policy', {}, 'retention.empty'],
    ['no policy at all', null, 'retention.empty'],
    ['a list', [], 'retention.value-wrong'],
    [
      'a rule nobody knows',
      { keep: { fortnightly: 2 } },
      'retention.field-unknown',
      'retention.keep.fortnightly',
    ],
    ['a field nobody knows', { keepLast: 2 }, 'retention.field-unknown', 'retention.keepLast'],
    ['both dialects', { keep: { last: 1 }, days: 7 }, 'retention.two-dialects'],
    [
      'both dialects, with flags',
      { keep: { last: 1 }, gfs: { weekly: { keep: 1 } } },
      'retention.two-dialects',
    ],
    ['the short term twice', { days: 7, points: 7 }, 'retention.contradiction'],
    ['keep without a rule', { keep: {} }, 'retention.keeps-nothing'],
    ['keep of nothing', { keep: { last: 0, daily: 0 } }, 'retention.keeps-nothing'],
    ['keep within nothing', { keep: { within: '0d' } }, 'retention.keeps-nothing'],
    ['no days', { days: 0 }, 'retention.keeps-nothing'],
    ['no points', { points: 0 }, 'retention.keeps-nothing'],
    ['flags without a level', { days: 7, gfs: {} }, 'retention.keeps-nothing'],
    ['a level that keeps nothing', { days: 7, gfs: { weekly: { keep: 0 } } }, 'retention.keeps-nothing'],
    ['copy-only without a rule', { days: 7, copyOnly: {} }, 'retention.keeps-nothing'],
    ['an unknown unit', { keep: { within: '5x' } }, 'retention.unit-unknown', 'retention.keep.within'],
    ['a number without a unit', { keep: { within: 5 } }, 'retention.unit-unknown', 'retention.keep.within'],
    ['a unit twice', { keep: { within: '1d2d' } }, 'retention.value-wrong'],
    ['an empty duration', { keep: { within: '' } }, 'retention.value-wrong'],
    ['a negative duration', { keep: { within: '-5d' } }, 'retention.value-wrong'],
    ['a negative count', { keep: { last: -2 } }, 'retention.value-wrong', 'retention.keep.last'],
    ['half a count', { keep: { last: 1.5 } }, 'retention.value-wrong'],
    ['a count that is a text', { days: 'seven' }, 'retention.value-wrong', 'retention.days'],
    [
      'a weekday nobody knows',
      { gfs: { weekly: { keep: 1, on: 'someday' } } },
      'retention.value-wrong',
      'retention.gfs.weekly.on',
    ],
    ['a week nobody knows', { gfs: { monthly: { keep: 1, week: 'fifth' } } }, 'retention.value-wrong'],
    ['a month nobody knows', { gfs: { yearly: { keep: 1, month: 13 } } }, 'retention.value-wrong'],
    [
      'a level without keep',
      { gfs: { yearly: { month: 1 } } },
      'retention.value-wrong',
      'retention.gfs.yearly.keep',
    ],
    ['logs for nothing', { days: 7, logs: {} }, 'retention.value-wrong', 'retention.logs.for'],
    ['a tag that is no text', { keep: { tags: [1] } }, 'retention.value-wrong'],
  ])('refuses %s, naming the place', (...[, value, code, path]) => {
    const expected = path === undefined ? { code } : { code, details: { path } };
    expect(() => readRetentionPolicy(value)).toThrow(expect.objectContaining(expected));
  });

  it('reads durations of all units', () => {
    const policy = readRetentionPolicy({ keep: { within: '1y6m2w3d4h' } });
    expect(policy.rules).toMatchObject({
      within: { within: { years: 1, months: 6, days: 17, hours: 4, text: '1y6m2w3d4h' } },
    });
  });

  it('reads the calendar dialect with names short or long', () => {
    const gfs = {
      weekly: { keep: 4, on: 'Sat' },
      monthly: { keep: 12, week: 'last' },
      yearly: { keep: 7, month: 'Dec' },
    };
    expect(readRetentionPolicy({ days: 14, gfs, logs: { for: '14d' }, grace: '3d' })).toMatchObject({
      rules: {
        dialect: 'calendar',
        days: 14,
        gfs: {
          weekly: { keep: 4, on: 6 },
          monthly: { keep: 12, week: 'last' },
          yearly: { keep: 7, month: 12 },
        },
      },
      logs: { for: { days: 14 } },
      grace: { days: 3 },
    });
  });
});
