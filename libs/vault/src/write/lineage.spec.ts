import { describe, expect, it } from '@jest/globals';
import { BackupRefusedError } from '../index.ts';
import { collectionForEach, planOf } from '../testing/index.ts';

describe('the lineage of a backup', () => {
  const vault = collectionForEach();

  it('keeps copy-only fulls apart: never LATEST, never a parent or base', async () => {
    await vault.write(planOf('full'), new Map([['a', Buffer.from('1')]]));
    const later = new Date('2026-11-21T12:00:00Z');
    const { name } = await vault.write(
      planOf('co', { copyOnly: true, startedAt: later }),
      new Map([['a', Buffer.from('2')]]),
    );
    expect(name).toBe('photos/copy-only/2026/11/21-120000.00/manifest.json');
    expect((await vault.collection.latest())?.backup).toBe('full');
    for (const lineage of [
      { type: 'incremental', parent: 'co' },
      { type: 'differential', base: 'co' },
    ] as const)
      await expect(vault.collection.beginBackup(planOf('z', lineage))).rejects.toThrow(BackupRefusedError);
    await vault.write(planOf('next', { startedAt: later }), new Map());
    expect((await vault.collection.latest())?.backup).toBe('next');
  });

  it('names its folders so that a person can read them', async () => {
    await vault.write(planOf('full'), new Map());
    const startedAt = new Date('2026-11-21T03:04:05.678Z');
    const plan = planOf('inc', { type: 'incremental', parent: 'full', startedAt });
    const { name } = await vault.write(plan, new Map());
    expect(name).toBe('photos/2026/11/20-120000.12/20261121-030405.67-incremental/manifest.json');
    const after = planOf('inc2', {
      type: 'incremental',
      parent: 'inc',
      startedAt: new Date('2026-11-22T03:04:05Z'),
    });
    expect((await vault.write(after, new Map())).name).toBe(
      'photos/2026/11/20-120000.12/20261122-030405.00-incremental/manifest.json',
    );
  });

  it.each([
    ['a full with a parent', planOf('z', { parent: 'full' })],
    ['an incremental without parent', planOf('z', { type: 'incremental' })],
    ['a differential to an incremental', planOf('z', { type: 'differential', base: 'inc' })],
    ['a copy-only incremental', planOf('z', { type: 'incremental', parent: 'full', copyOnly: true })],
    [
      'an incremental to another family',
      planOf('z', {
        type: 'incremental',
        parent: 'full',
        source: { name: 'photos', uid: 'source-1', family: 'another', driver: 'files' },
      }),
    ],
  ])('refuses %s', async (_, plan) => {
    await vault.write(planOf('full'), new Map());
    await vault.write(planOf('inc', { type: 'incremental', parent: 'full' }), new Map());
    await expect(vault.collection.beginBackup(plan)).rejects.toThrow(BackupRefusedError);
  });
});
