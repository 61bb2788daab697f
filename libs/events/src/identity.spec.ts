import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  backupIdOfRun,
  collectionIdOf,
  commandedRunId,
  definitionId,
  digestId,
  freshId,
  scheduledRunId,
} from './identity.ts';

describe('ids made of what they stand for', () => {
  it('are the same for ever', () => {
    expect(digestId('a', 'b')).toBe('zb6xwynz3tp5pc0jeenj');
    expect(scheduledRunId('uid-1', 'full', '2026-03-01T00:00:00.000Z')).toBe('run-rqrhfh3atf0c9wtja8x4');
    expect(commandedRunId('command-1')).toBe('run-q5tg0zh4wrkkkeb8sq0x');
    expect(collectionIdOf('source-uid', 'repository-uid')).toBe('col-3pts7y79dkvw28bqbvhd');
    expect(definitionId('Schedule', 'nightly')).toBe('schedule-nightly');
  });

  it('differ when any part differs, also when the parts joined are the same', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (some, others) => {
        const same = JSON.stringify(some) === JSON.stringify(others);
        expect(digestId(...some) === digestId(...others)).toBe(same);
      }),
    );
    expect(
      new Set([digestId('ab', 'c'), digestId('a', 'bc'), digestId('abc'), digestId('', 'abc')]).size,
    ).toBe(4);
  });

  it('are one subject token each', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(digestId(text)).toMatch(/^[0-9a-hjkmnp-tv-z]{20}$/);
      }),
    );
  });

  it('name the backup of a run after it', () => {
    expect(backupIdOfRun('run-abc')).toBe('bkp-abc');
  });
});

describe('fresh ids', () => {
  it('are tokens and never the same', () => {
    const ids = Array.from({ length: 1000 }, () => freshId());
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{20}$/);
  });
});
