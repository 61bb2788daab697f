import { describe, expect, it } from '@jest/globals';
import { restorable, restorableLog, restorableTime } from '../testing/index.ts';
import { planRestore } from './plan-restore.ts';

const f1 = restorable('f1', 100);
const l1 = restorableLog('l1', 90, 105);
const l2 = restorableLog('l2', 105, 118);
const l3 = restorableLog('l3', 118, 135);
const marked = { ...l3, marks: [{ name: 'release', at: restorableTime(128), position: '128' }] };
const earlier = { ...l2, marks: [{ name: 'release', at: restorableTime(112), position: '112' }] };

describe('marks that a log does not list', () => {
  it('a log that does not list all of its marks is looked through where a later one of the name may be in it', () => {
    const listed = [{ name: 'other', at: restorableTime(129), position: '129' }];
    const more = { ...l3, marks: listed, moreMarks: 40 };
    const release = planRestore([f1, l1, earlier, more], { kind: 'mark', mark: 'release' });
    expect(release).not.toHaveProperty('markAt');
    expect(release).toMatchObject({ reachesTarget: true });
    expect(release.notes).toContain(
      'The log l3 holds 40 more marks than the 1 that it lists: the restore looks through it.',
    );
    expect(release.steps.map(({ backup }) => backup)).toEqual(['f1', 'l1', 'l2', 'l3']);
    const unlisted = planRestore([f1, l1, { ...l2, marks: [] }, more], { kind: 'mark', mark: 'release' });
    expect(unlisted.steps.at(-1)).toMatchObject({ backup: 'l3', stopAt: 'mark release' });
    // Those that it does not list are older than those that it lists, and than what is in a later log.
    expect(planRestore([f1, l1, earlier, more], { kind: 'mark', mark: 'other' }).markAt).toBe('129');
    const history = [f1, l1, { ...earlier, moreMarks: 7 }, marked];
    expect(planRestore(history, { kind: 'mark', mark: 'release' }).markAt).toBe('128');
  });
});
