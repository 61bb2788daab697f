import { describe, expect, it } from '@jest/globals';
import { backupView } from '../testing/index.ts';
import { chainsOf } from './chains.ts';
import { chooseBackup } from './choose-backup.ts';
import { restorePointsOf } from './restore-points.ts';

const f1 = backupView('f1', 0);
const i1 = backupView('i1', 10, { type: 'incremental', closure: ['f1'] });
const c1 = backupView('c1', 15, { copyOnly: true });
const d1 = backupView('d1', 20, { type: 'differential', closure: ['f1'] });
const f2 = backupView('f2', 30);
const late = backupView('late', 40, { type: 'incremental', closure: ['f1', 'i1'] });
const all = [late, f2, c1, i1, d1, f1];

function at(minute: number): string {
  return new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString();
}

describe('chains', () => {
  it('are a full with its dependents, oldest first; a copy-only full is a chain of its own', () => {
    const chains = chainsOf(all).map(({ chain, copyOnly, newest, backups, bytesAdded }) => ({
      chain,
      copyOnly,
      newest,
      bytesAdded,
      backups: backups.map((one) => one.backup),
    }));
    expect(chains).toEqual([
      { chain: 'bkp-f2', copyOnly: false, newest: true, bytesAdded: 10, backups: ['bkp-f2'] },
      { chain: 'bkp-c1', copyOnly: true, newest: false, bytesAdded: 10, backups: ['bkp-c1'] },
      {
        chain: 'bkp-f1',
        copyOnly: false,
        newest: false,
        bytesAdded: 40,
        backups: ['bkp-f1', 'bkp-i1', 'bkp-d1', 'bkp-late'],
      },
    ]);
  });

  it('with a damaged full are not usable, and the collection continues the one before', () => {
    const chains = chainsOf([f1, i1, { ...f2, state: 'damaged' }]);
    expect(chains.map(({ chain, usable, newest }) => ({ chain, usable, newest }))).toEqual([
      { chain: 'bkp-f2', usable: false, newest: false },
      { chain: 'bkp-f1', usable: true, newest: true },
    ]);
  });
});

describe('restore points', () => {
  it('are the ends of the usable data backups, newest first; what needs a damaged one is none', () => {
    const points = restorePointsOf([f1, { ...i1, state: 'damaged' }, d1, f2, late]);
    expect(points.map((point) => point.backup)).toEqual(['bkp-f2', 'bkp-d1', 'bkp-f1']);
  });

  it('keep what needs an expired backup, whose objects are still there', () => {
    const points = restorePointsOf([{ ...f1, state: 'expired' }, i1]);
    expect(points.map((point) => point.backup)).toEqual(['bkp-i1']);
  });
});

describe('choosing a backup, rules.md 2.2', () => {
  it.each([
    ['latest is whatever is newest', { latest: true }, {}, 'bkp-late', true],
    ['the end of a backup is reached', { at: at(20) }, {}, 'bkp-d1', true],
    ['between two, the one before, and it is said', { at: at(25) }, {}, 'bkp-d1', false],
    ['copy-only fulls count', { at: at(17) }, {}, 'bkp-c1', false],
    ['copy-only fulls can be left out', { at: at(17) }, { copyOnly: true }, 'bkp-i1', false],
    ['differentials can be left out', { at: at(25) }, { differentials: true }, 'bkp-c1', false],
    ['a time with an offset', { at: '2026-01-01T01:20:00+01:00' }, {}, 'bkp-d1', true],
  ] as const)('%s', (_rule, choice, exclusions, backup, reachesTarget) => {
    expect(chooseBackup(all, choice, exclusions)).toMatchObject({ backup: { backup }, reachesTarget });
  });

  it('lists what is needed, oldest first, and the next time that can be had', () => {
    const chosen = chooseBackup(all, { at: at(12) });
    expect(chosen.needed.map((one) => one.backup)).toEqual(['bkp-f1', 'bkp-i1']);
    expect(chosen.next).toBe(at(15));
  });

  it('takes a backup by the beginning of its id', () => {
    expect(chooseBackup(all, { backup: 'la' }).backup.backup).toBe('bkp-late');
    expect(chooseBackup(all, { backup: 'bkp-f1' }).backup.backup).toBe('bkp-f1');
  });

  it.each([
    ['no backup at all', [], { latest: true }, 'chain.nothing-to-restore'],
    ['nothing that early', all, { at: at(-1) }, 'chain.nothing-before'],
    ['an id nobody has', all, { backup: 'zz' }, 'chain.backup-unknown'],
    ['an id that several have', all, { backup: 'f' }, 'chain.backup-ambiguous'],
    ['a time nobody can read', all, { at: 'noon' }, 'chain.time-unreadable'],
    ['a damaged one', [{ ...f1, state: 'damaged' as const }], { backup: 'f1' }, 'chain.backup-unusable'],
  ] as const)('refuses %s by name', (_what, backups, choice, code) => {
    expect(() => chooseBackup(backups, choice)).toThrow(expect.objectContaining({ code }));
  });

  it('names the first time that can be had when asked for an earlier one', () => {
    expect(() => chooseBackup(all, { at: at(-1) })).toThrow(
      expect.objectContaining({ details: { first: at(0) } }),
    );
  });
});
