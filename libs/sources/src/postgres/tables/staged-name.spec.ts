import { describe, expect, it } from '@jest/globals';
import { stagedName } from './staged-name.ts';

describe('the name of a database that is not whole yet', () => {
  it('begins with the name it will have, and is the same for all attempts of a run', () => {
    expect(stagedName('bank', 'run-1')).toMatch(/^bank-catena-[0-9a-f]{12}$/);
    expect(stagedName('bank', 'run-1')).toBe(stagedName('bank', 'run-1'));
    expect(stagedName('bank', 'run-1')).not.toBe(stagedName('bank', 'run-2'));
  });

  it.each(['b'.repeat(63), 'ü'.repeat(31), '銀'.repeat(21), '🏦'.repeat(15)])(
    'is never so long that the server cuts it: %s',
    (database) => {
      const name = stagedName(database, 'run-1');
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(name).toMatch(/-catena-[0-9a-f]{12}$/);
      expect(name).not.toContain('\uFFFD');
    },
  );
});
