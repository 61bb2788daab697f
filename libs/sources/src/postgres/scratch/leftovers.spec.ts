import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { markAsOwn, sweepScratch } from './leftovers.ts';

const SOURCE = new URL('./leftovers.ts', import.meta.url).href;

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
    const own = await markAsOwn(living);
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
    own.release();
    expect(await sweepScratch(scratch.at())).toEqual({ removed: [living], left: [] });
  });

  it('stay while their maker lives whom nobody here can see, as in another container', async () => {
    const folder = make('catena-scratch-6');
    const maker = spawn(
      process.execPath,
      [
        ...['--conditions=@catena/source', '--no-warnings', '--input-type=module', '-e'],
        `const { markAsOwn } = await import(${JSON.stringify(SOURCE)});
        globalThis.own = await markAsOwn(${JSON.stringify(folder)});
        console.log('marked');
        setInterval(() => undefined, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    const ended = once(maker, 'exit');
    await once(maker.stdout, 'data');
    // Its number is nobody's here.
    const file = path.join(folder, 'maker.json');
    const said = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    expect(said).toMatchObject({ pid: maker.pid, holdsLock: true });
    const elsewhere = { ...said, pid: spawnSync('true').pid, namespace: 'pid:[1]' };
    writeFileSync(file, JSON.stringify(elsewhere));
    expect(await sweepScratch(scratch.at())).toEqual({ removed: [], left: [] });
    maker.kill('SIGKILL');
    await ended;
    expect(await sweepScratch(scratch.at())).toEqual({ removed: [folder], left: [] });
  });

  it('stay where there are no locks and their maker cannot be seen', async () => {
    const folder = make('catena-scratch-7');
    (await markAsOwn(folder)).release();
    const file = path.join(folder, 'maker.json');
    const gone = { ...(JSON.parse(readFileSync(file, 'utf8')) as object), pid: spawnSync('true').pid };
    const say = (more: object) => writeFileSync(file, JSON.stringify({ ...gone, holdsLock: false, ...more }));
    say({ namespace: 'pid:[1]' });
    expect(await sweepScratch(scratch.at())).toEqual({ removed: [], left: [] });
    say({});
    expect(await sweepScratch(scratch.at())).toEqual({ removed: [folder], left: [] });
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
