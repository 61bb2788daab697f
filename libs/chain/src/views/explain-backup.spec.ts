import { describe, expect, it } from '@jest/globals';
import { backupView } from '../testing/index.ts';
import { readRetentionPolicy } from '../retention/read-policy.ts';
import { ZoneCalendar } from '../retention/zone-calendar.ts';
import { explainBackup } from './explain-backup.ts';

const DAY = 24 * 60;
const f1 = backupView('f1', 0);
const i1 = backupView('i1', DAY, { type: 'incremental', closure: ['f1'], parent: 'bkp-f1', base: 'bkp-f1' });
const i2 = backupView('i2', 2 * DAY, {
  type: 'incremental',
  closure: ['f1', 'i1'],
  parent: 'bkp-i1',
  base: 'bkp-f1',
});
const f2 = backupView('f2', 3 * DAY);
const all = [f2, i2, i1, f1];
const clock = { now: Date.UTC(2026, 0, 4, 12), calendar: new ZoneCalendar() };

describe('explaining a backup', () => {
  it('says what it depends on and what depends on it', () => {
    expect(explainBackup(all, 'i1', clock)).toMatchObject({
      backup: { backup: 'bkp-i1' },
      dependsOn: [{ backup: 'bkp-f1', as: 'parent', state: 'usable' }],
      neededBy: [{ backup: 'bkp-i2', direct: true }],
      kept: ['no policy', 'needed by bkp-i2'],
    });
    expect(explainBackup(all, 'bkp-f1', clock).neededBy).toEqual([
      { backup: 'bkp-i1', direct: true },
      { backup: 'bkp-i2', direct: false },
    ]);
  });

  it('says when it expires, by which rule, and when its objects may go', () => {
    const policy = readRetentionPolicy({ days: 3 });
    const upcoming = [4, 5, 6, 7].map((day) => ({ time: Date.UTC(2026, 0, 1 + day), type: 'full' as const }));
    const explained = explainBackup(all, 'f1', { ...clock, policy, upcoming });
    expect(explained).toMatchObject({
      kept: ['days 3', 'needed by bkp-i2'],
      expires: { date: '2026-01-05', rule: '2026-01-01 is before 2026-01-02 (days 3)' },
      goes: { date: '2026-01-07', rule: '2026-01-01 is before 2026-01-04 (days 3)' },
    });
  });

  it('says nothing of an end that is not in sight', () => {
    const policy = readRetentionPolicy({ keep: { last: 10 } });
    const explained = explainBackup(all, 'f1', { ...clock, policy });
    expect(explained.kept).toContain('last');
    expect(explained).not.toHaveProperty('expires');
    expect(explained).not.toHaveProperty('goes');
  });

  it('says what holds it', () => {
    const policy = readRetentionPolicy({ keep: { last: 1 } });
    const held = { ...clock, policy, holdsOf: () => ['pinned'] };
    expect(explainBackup(all, 'i1', held).kept).toEqual(['pinned', 'needed by bkp-i2']);
  });

  it.each([
    ['zz', 'chain.backup-unknown'],
    ['f', 'chain.backup-ambiguous'],
  ])('refuses %s by name', (id, code) => {
    expect(() => explainBackup(all, id, clock)).toThrow(expect.objectContaining({ code }));
  });

  it('says of an expired one what it is still there for, and that it goes with the last of those', () => {
    const policy = readRetentionPolicy({ days: 3 });
    const upcoming = [4, 5, 6, 7].map((day) => ({ time: Date.UTC(2026, 0, 1 + day), type: 'full' as const }));
    const expired = all.map((one) =>
      one.backup === 'bkp-f1' || one.backup === 'bkp-i1' ? { ...one, state: 'expired' as const } : one,
    );
    expect(explainBackup(expired, 'f1', { ...clock, policy, upcoming })).toMatchObject({
      kept: ['needed by bkp-i2'],
      goes: { date: '2026-01-07', rule: 'nothing needs it after bkp-i2' },
    });
  });
});
