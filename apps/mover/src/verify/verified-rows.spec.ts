import { describe, expect, it } from '@jest/globals';
import { VerifiedRows } from './verified-rows.ts';

describe('what a verification says', () => {
  it('names a damaged object in every backup that needs it, with the files it hits', () => {
    const rows = new VerifiedRows();
    rows.add('b1', 100);
    rows.add('b2', 50);
    rows.addDamage({ object: 'pack-1', reason: 'checksum', backups: ['b1', 'b3'], files: ['/a'] });
    rows.addDamage({ object: 'pack-2', reason: 'missing', backups: ['b1'], files: [] });
    expect(rows.list()).toEqual([
      {
        backup: 'b1',
        bytes: 100,
        missing: false,
        problems: [
          { object: 'pack-1', message: 'checksum', paths: ['/a'] },
          { object: 'pack-2', message: 'missing', paths: [] },
        ],
      },
      { backup: 'b2', bytes: 50, missing: false, problems: [] },
      {
        backup: 'b3',
        bytes: 0,
        missing: false,
        problems: [{ object: 'pack-1', message: 'checksum', paths: ['/a'] }],
      },
    ]);
  });

  it('calls a backup missing only when no manifest that cannot be read may be its own', () => {
    const rows = new VerifiedRows();
    rows.addAbsent('gone', []);
    rows.addAbsent('unclear', ['col/2026/01/01/manifest.json']);
    expect(rows.list()).toEqual([
      { backup: 'gone', bytes: 0, missing: true, problems: [] },
      {
        backup: 'unclear',
        bytes: 0,
        missing: false,
        problems: [{ object: 'col/2026/01/01/manifest.json', message: 'unreadable', paths: [] }],
      },
    ]);
  });
});
