/** A restore by somebody who may not do everything: what differs in the end is what was listed, and nothing else. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as fs from 'node:fs';
import { bytesOf, byteStringOf, FolderHandle } from '../../system-calls/index.ts';
import { asUser } from '../../testing/as-user.ts';
import { InMemoryVaultFake } from '../../testing/in-memory-vault-fake.ts';
import { makeFlagged, makeNastyTree } from '../../testing/nasty-tree.ts';
import { isRoot, ScratchFolder } from '../../testing/sample-tree.ts';
import { compareTrees, type Difference } from '../comparing/compare-trees.ts';
import { filesDriver } from '../files-driver.ts';
import { execFileSync, spawnSync } from 'node:child_process';

const user = 12_345;

/** The warning that must name each kind of difference. */
const warningFor: Partial<Record<Difference, readonly string[]>> = {
  owner: ['restore.ownerNotKept'],
  missing: ['restore.deviceNotMade'],
  attributes: ['restore.attributeNotKept', 'restore.flagNotKept'],
  mode: ['restore.setIdNotKept', 'restore.modeNotKept'],
};

(isRoot ? describe : describe.skip)('a restore by a user (needs root, to be one)', () => {
  let scratch: ScratchFolder;
  let vault: InMemoryVaultFake;
  beforeEach(() => {
    scratch = new ScratchFolder();
    vault = new InMemoryVaultFake();
    fs.chmodSync(scratch.path, 0o755);
    fs.mkdirSync(scratch.at('home'));
    fs.chownSync(scratch.at('home'), user, user);
  });
  afterEach(() => {
    spawnSync('chattr', ['-R', '-f', '-i', '-a', scratch.path]);
    scratch.remove();
  });

  async function backedUp(): Promise<string> {
    const writer = vault.begin();
    await filesDriver.backup({ path: scratch.at('source') }, writer);
    return (await writer.finish()).backupId;
  }

  it('names every thing that is not as it was, and why', async () => {
    makeNastyTree(scratch.at('source'), { deep: false });
    using top = FolderHandle.open(Buffer.from(scratch.at('source')));
    const flagged = makeFlagged(top);
    const backup = await backedUp();
    const target = scratch.at('home', 'out');
    const outcome = await asUser(user, () => filesDriver.restore(vault.open(backup), target, { run: 'r' }));
    const listed = new Map<string, string[]>();
    for (const { path, code } of outcome.warnings) {
      const key = byteStringOf(path);
      listed.set(key, [...(listed.get(key) ?? []), code]);
    }
    const differences = await compareTrees(scratch.at('source'), target);
    // What is said of a file holds for all its names.
    const firstNames = new Map<string, string>();
    for await (const { path, hardLink } of vault.open(backup).entries())
      firstNames.set(byteStringOf(path), byteStringOf(hardLink && hardLink.length > 0 ? hardLink : path));
    const unsaid = differences.filter(({ path, difference }) => {
      const name = byteStringOf(path);
      const said = [...(listed.get(name) ?? []), ...(listed.get(firstNames.get(name) ?? '') ?? [])];
      return !warningFor[difference]?.some((code) => said.includes(code));
    });
    expect(unsaid.map(({ message }) => message)).toEqual([]);
    const different = new Set(differences.map(({ path }) => byteStringOf(path)));
    const needless = [...listed.keys()].filter((path) => !different.has(path as never));
    expect(needless.map((path) => bytesOf(path as never).toString())).toEqual([]);
    const kinds = new Set(differences.map(({ difference }) => difference));
    expect([...kinds].sort()).toEqual(['attributes', 'missing', 'mode', 'owner']);
    expect(outcome.warnings.every(({ message }) => /\((E[A-Z]+)\)|because|only root/.test(message))).toBe(
      true,
    );
    if (flagged) expect([...listed.values()].flat()).toContain('restore.flagNotKept');
  });

  it('goes on past what belongs to somebody else at the target', async () => {
    scratch.write('source/theirs', 'the same');
    scratch.write('source/mine', 'new');
    fs.chmodSync(scratch.at('source', 'theirs'), 0o600);
    const backup = await backedUp();
    const target = scratch.at('home', 'out');
    fs.mkdirSync(target);
    fs.chownSync(target, user, user);
    fs.writeFileSync(`${target}/theirs`, 'the same');
    fs.chmodSync(`${target}/theirs`, 0o644);
    const outcome = await asUser(user, () =>
      filesDriver.restore(vault.open(backup), target, { run: 'r', overwrite: true }),
    );
    expect(fs.readFileSync(`${target}/mine`, 'utf8')).toBe('new');
    const codes = outcome.warnings
      .filter(({ path }) => Buffer.from(path).toString() === 'theirs')
      .map(({ code, message }) => `${code} ${/\((E[A-Z]+)\)/.exec(message)?.[1]}`);
    expect(codes).toEqual(['restore.modeNotKept EPERM', 'restore.timeNotKept EPERM']);
  });
});

(isRoot ? describe : describe.skip)('what is immutable at the target (needs root)', () => {
  it('is not replaced, and nothing is changed before that is said', async () => {
    using scratch = new ScratchFolder();
    scratch.write('source/a', 'new');
    scratch.write('source/locked/file', 'new');
    const vault = new InMemoryVaultFake();
    const writer = vault.begin();
    await filesDriver.backup({ path: scratch.at('source') }, writer);
    const { backupId } = await writer.finish();
    scratch.write('target/a', 'old');
    scratch.write('target/locked/file', 'old');
    const chattr = (...args: string[]) => execFileSync('chattr', args);
    const restore = () =>
      filesDriver.restore(vault.open(backupId), scratch.at('target'), { run: 'r', overwrite: true });
    const refusal = {
      code: 'restore.targetNotUsable',
      remedy: expect.stringContaining('chattr -R -i -a') as unknown,
    };
    for (const name of ['a', 'locked']) {
      chattr('+i', scratch.at('target', name));
      try {
        await expect(restore()).rejects.toMatchObject(refusal);
        expect(fs.readFileSync(scratch.at('target', 'a'), 'utf8')).toBe('old');
      } finally {
        chattr('-i', scratch.at('target', name));
      }
    }
    await restore();
    expect(fs.readFileSync(scratch.at('target', 'locked', 'file'), 'utf8')).toBe('new');
  });
});
