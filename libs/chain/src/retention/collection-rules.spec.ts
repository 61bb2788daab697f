import { describe, expect, it } from '@jest/globals';
import { collectionRules, type RetentionWriter } from './collection-rules.ts';
import { readRetentionPolicy } from './read-policy.ts';

function writer(name: string, retention?: unknown, conventional = true): RetentionWriter {
  return { name, uid: `uid-${name}`, timeZone: 'Europe/Berlin', conventional, retention };
}

describe('what the schedules of a collection say of its retention', () => {
  it('nobody says anything: everything is kept', () => {
    expect(collectionRules([])).toMatchObject({ policy: undefined, timeZone: 'UTC' });
    expect(collectionRules([writer('a')])).toMatchObject({
      policy: undefined,
      timeZone: 'Europe/Berlin',
      schedules: new Set(['uid-a']),
    });
  });

  it('the conventional one decides; a copy-only one adds its own', () => {
    const copies = writer('copies', { keep: { last: 1 }, copyOnly: { keep: { last: 5 } } }, false);
    const rules = collectionRules([copies, writer('nightly', { days: 7 })]);
    expect(rules.policy).toEqual({
      ...readRetentionPolicy({ days: 7, copyOnly: { keep: { last: 5 } } }),
    });
    expect(rules.schedules).toEqual(new Set(['uid-copies', 'uid-nightly']));
  });

  it('a copy-only schedule never says what becomes of data backups', () => {
    const copies = writer('copies', { keep: { last: 1 }, copyOnly: { keep: { last: 5 } } }, false);
    expect(collectionRules([copies, writer('nightly')]).policy).toEqual(
      readRetentionPolicy({ copyOnly: { keep: { last: 5 } } }),
    );
  });

  it('two that say it contradict each other, and everything is kept', () => {
    expect(collectionRules([writer('a', { days: 7 }), writer('b', { days: 30 })])).toMatchObject({
      policy: undefined,
      contradiction: expect.stringContaining('a and b'),
    });
  });

  it('one that cannot be read keeps everything, and is named', () => {
    expect(collectionRules([writer('a', { days: 7, points: 3 })])).toMatchObject({
      policy: undefined,
      contradiction: expect.stringContaining('the schedule a'),
    });
  });
});
