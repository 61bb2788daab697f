import { chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { makeWay, refuseClosedWay } from './open-way.ts';

/** Whom nothing here belongs to. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const asRoot = process.geteuid?.() === 0 ? it : it.skip;

describe('the folders above a restored cluster', () => {
  const scratch = new ScratchFolder();
  beforeAll(() => chmodSync(scratch.at(), 0o755));
  afterAll(() => scratch.remove());

  it('let everybody through where they are made, whatever the umask', () => {
    const umask = process.umask(0o077);
    try {
      const made = makeWay(scratch.at('a', 'b', 'data'));
      expect(made).toEqual([scratch.at('a'), scratch.at('a', 'b')]);
      expect(made.map((folder) => statSync(folder).mode & 0o777)).toEqual([0o711, 0o711]);
      expect(makeWay(scratch.at('a', 'b', 'data'))).toEqual([]);
    } finally {
      process.umask(umask);
    }
  });

  it('are not made through what is no folder', () => {
    symlinkSync(scratch.at('nowhere'), scratch.at('link'));
    expect(makeWay(scratch.at('link', 'data'))).toEqual([]);
    expect(existsSync(scratch.at('nowhere'))).toBe(false);
  });

  asRoot('are refused by name when they shut the server out', () => {
    const closed = scratch.at('closed');
    mkdirSync(path.join(closed, 'open'), { recursive: true });
    chmodSync(closed, 0o700);
    const refuse = (...places: string[]) => refuseClosedWay(NOBODY, places);
    const place = path.join(closed, 'open', 'to', 'be', 'made');
    expect(() => refuse(scratch.at('data'), place)).toThrow(
      expect.objectContaining({
        code: 'restore.targetNotUsable',
        details: { target: place, folder: closed },
      }),
    );
    refuse(scratch.at('data'), scratch.at('not', 'there'), path.join(closed));
    refuseClosedWay(undefined, [place]);
    rmSync(closed, { recursive: true });
  });
});
