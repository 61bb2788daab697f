import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { markAsOwn, sweepScratch } from './leftovers.ts';

describe('copies that nobody is left to throw away', () => {
  const scratch = new ScratchFolder();
  afterAll(() => scratch.remove());
  const make = (name: string, maker?: string): string => {
    const folder = scratch.at(name);
    mkdirSync(path.join(folder, 'data'), { recursive: true });
    if (maker !== undefined) writeFileSync(path.join(folder, 'maker.json'), maker);
    return folder;
  };

  it('go when their maker is gone, and only then', async () => {
    const ended = spawnSync('true').pid;
    const gone = ['catena-scratch-1', 'catena-copy-1'].map((name) =>
      make(name, JSON.stringify({ pid: ended, startTime: '1', bootId: 'another' })),
    );
    const living = make('catena-scratch-2');
    await markAsOwn(living);
    const kept = [
      living,
      make('catena-scratch-3'),
      make('catena-copy-2', 'not JSON'),
      make('other', JSON.stringify({ pid: ended, startTime: '1', bootId: 'another' })),
    ];
    const swept = await sweepScratch(scratch.at());
    expect([swept.removed.toSorted(), swept.left]).toEqual([gone.toSorted(), []]);
    expect(kept.filter((folder) => existsSync(folder))).toEqual(kept);
    expect(await sweepScratch(scratch.at())).toEqual({ removed: [], left: [] });
  });

  it('are named when they cannot be removed, and keep nobody from removing others', async () => {
    const maker = JSON.stringify({ pid: spawnSync('true').pid, startTime: '1', bootId: 'another' });
    const [stuck, other] = ['catena-scratch-4', 'catena-scratch-5'].map((name) => make(name, maker));
    const error = new Error('not permitted');
    const remove = (folder: string) => (folder === stuck ? Promise.reject(error) : Promise.resolve());
    expect(await sweepScratch(scratch.at(), remove)).toEqual({
      removed: [other],
      left: [{ folder: stuck, error }],
    });
  });
});
