import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as fs from 'node:fs';
import { sourceDrivers } from '../index.ts';
import { asUser } from '../testing/as-user.ts';
import { InMemoryVaultFake } from '../testing/in-memory-vault-fake.ts';
import { letClockTick, makeSampleTree, ScratchFolder, seededBytes } from '../testing/sample-tree.ts';
import { describeSourceDriver } from '../testing/source-driver-contract.ts';
import { compareTrees } from './comparing/compare-trees.ts';
import { filesDriver } from './files-driver.ts';

describeSourceDriver(filesDriver, () => {
  const scratch = new ScratchFolder();
  let targets = 0;
  makeSampleTree(scratch.at('source'));
  fs.mkdirSync(scratch.at('other'));
  return Promise.resolve({
    spec: { path: scratch.at('source') },
    otherSpec: { path: scratch.at('other') },
    missingSpec: { path: scratch.at('nowhere') },
    invalidSpec: { path: 'relative', exclude: 'not a list', surprise: true },
    newTarget: () => scratch.at('targets', String((targets += 1))),
    targetExists: (target: string) => fs.existsSync(target),
    occupy: (target: string) => {
      fs.mkdirSync(target, { recursive: true });
      fs.writeFileSync(`${target}/plain.txt`, 'mine');
      return Promise.resolve();
    },
    change: () => {
      scratch.write('source/changed', seededBytes(1000, 5));
      return Promise.resolve();
    },
    settle: letClockTick,
    differences: async (target: string) =>
      (await compareTrees(scratch.at('source'), target)).map(({ message }) => message),
    remove: () => {
      scratch.remove();
      return Promise.resolve();
    },
  });
});

describe('a files source is checked', () => {
  let scratch: ScratchFolder;
  beforeEach(() => {
    scratch = new ScratchFolder();
  });
  afterEach(() => scratch.remove());

  it('with everything that is wrong in its definition at once', async () => {
    await expect(filesDriver.check({ path: 'x', exclude: [1], extra: true })).rejects.toMatchObject({
      code: 'source.specInvalid',
      details: {
        problems: [
          expect.stringContaining('files.path'),
          expect.stringContaining('files.exclude.0'),
          expect.stringContaining('extra'),
        ],
      },
    });
  });

  it('for being readable', async () => {
    fs.chmodSync(scratch.path, 0o755);
    fs.mkdirSync(scratch.at('closed', 'in'), { recursive: true });
    fs.chmodSync(scratch.at('closed', 'in'), 0);
    const notReadable = { code: 'source.notReadable' };
    await asUser(12_345, async () => {
      await expect(filesDriver.check({ path: scratch.at('closed', 'in') })).rejects.toMatchObject(
        notReadable,
      );
    });
    const nothing = new InMemoryVaultFake().begin();
    await asUser(12_345, async () => {
      const backup = filesDriver.backup({ path: scratch.at('closed', 'in') }, nothing);
      await expect(backup).rejects.toMatchObject(notReadable);
    });
    fs.chmodSync(scratch.at('closed'), 0);
    await asUser(12_345, async () => {
      await expect(filesDriver.check({ path: scratch.at('closed', 'in') })).rejects.toMatchObject(
        notReadable,
      );
    });
    fs.chmodSync(scratch.at('closed'), 0o700);
  });

  it.each([
    ['is the source', 'source'],
    ['lies in the source', 'source/deep/repository'],
    ['does not exist yet', 'source/new/repository'],
    ['is reached through a link', 'link/repository'],
  ])('and refused when the repository %s', async (_, repository) => {
    fs.mkdirSync(scratch.at('source', 'deep', 'repository'), { recursive: true });
    fs.symlinkSync(scratch.at('source', 'deep'), scratch.at('link'));
    await expect(
      filesDriver.check({ path: scratch.at('source') }, { repositoryFolder: scratch.at(repository) }),
    ).rejects.toMatchObject({ code: 'source.repositoryInside' });
  });

  it.each(['source-2', '..source', 'repository'])(
    'and accepted with a repository beside it: %s',
    async (name) => {
      fs.mkdirSync(scratch.at('source'));
      const context = { repositoryFolder: scratch.at(name) };
      await expect(filesDriver.check({ path: scratch.at('source') }, context)).resolves.toBeUndefined();
      await expect(
        filesDriver.check({ path: scratch.at('source') }, { repositoryFolder: scratch.path }),
      ).resolves.toBeUndefined();
    },
  );

  it('and has the same family through a link', async () => {
    fs.mkdirSync(scratch.at('source'));
    fs.symlinkSync('source', scratch.at('link'));
    expect(await filesDriver.family({ path: scratch.at('link') })).toBe(
      await filesDriver.family({ path: scratch.at('source') }),
    );
  });
});

describe('the registry', () => {
  it('knows the drivers by name', () => {
    expect(sourceDrivers.names).toEqual(['files', 'image', 'postgres']);
    expect(sourceDrivers.get('files')).toBe(filesDriver);
  });

  it('names what there is when asked for what there is not', () => {
    expect(() => sourceDrivers.get('tape')).toThrow(
      expect.objectContaining({
        code: 'source.driverUnknown',
        remedy: 'Use one of: files, image, postgres.',
      }),
    );
  });
});
