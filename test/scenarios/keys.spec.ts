import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KeyReport } from '@catena/vault';
import { TestPlatform } from '../platform/test-platform.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { CatenaCommand } from './catena-command.ts';
import { madeBy } from './kept-tree.ts';

const PATIENCE = 300_000;

let platform: TestPlatform;
let catena: CatenaCommand;

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home);
}, PATIENCE);

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
}, PATIENCE);

async function keysAre(tree: ProtectedTree, keys: string): Promise<void> {
  await platform.apply(`apiVersion: catena/v1
kind: Repository
metadata: {name: ${tree.repository}}
spec:
  store: fs
  fs: {path: ${tree.where.repository}}
  encryption: {keys: [${keys}]}
`);
}

describe('the keys of a repository', () => {
  it(
    'are added from the definition and by hand, rotated and removed, and no backup is lost by it',
    async () => {
      const tree = await ProtectedTree.define(platform, 'keyed', { megabytes: 1 });
      const take = async (type: 'full' | 'incremental') => {
        tree.edit();
        const backup = madeBy(await platform.backup(tree.name, tree.repository, type));
        tree.remember(backup);
        return backup;
      };
      const list = async (): Promise<KeyReport> =>
        (await catena.ask<{ items: KeyReport[] }>('key', 'list', '--repository', tree.repository)).items[0]!;
      const full = await take('full');
      expect(await list()).toMatchObject({
        slots: [{ kind: 'keyFile', name: tree.where.keyFile, portable: true }],
        dataKeys: [{ state: 'active', backups: [full] }],
      });

      const passphrase = path.join(platform.home, 'second.passphrase');
      writeFileSync(passphrase, 'a second way in\n');
      const first = `{keyFile: {path: ${tree.where.keyFile}, generate: true}}`;
      await keysAre(tree, `${first}, {passphrase: {file: ${passphrase}}, portable: false}`);
      const second = await take('incremental');
      expect((await list()).slots).toMatchObject([
        {},
        { kind: 'passphrase', name: passphrase, portable: false },
      ]);
      const byHand = ['ls', full, '--repository', tree.where.repository];
      expect((await catena.run(...byHand, '--passphrase-file', passphrase)).code).toBe(0);

      const { rotated } = await catena.ask<{ rotated: { dataKey: string }[] }>(
        ...['key', 'rotate', '--repository', tree.repository],
      );
      const third = await take('incremental');
      const [former, active] = (await list()).dataKeys;
      expect(former).toMatchObject({
        state: 'former',
        backups: expect.arrayContaining([full, second, third]),
      });
      expect(active).toMatchObject({ state: 'active', id: rotated[0]?.dataKey, backups: [third] });

      const another = path.join(platform.home, 'by-hand.key');
      await catena.ask('key', 'add', '--repository', tree.repository, '--new-key-file', another);
      expect((await catena.run(...byHand, '--key-file', another)).code).toBe(0);
      await keysAre(tree, first);
      for (const gone of [another, passphrase])
        await catena.ask('key', 'remove', gone, '--repository', tree.repository);
      const locked = await catena.run(...byHand, '--passphrase-file', passphrase, '--json');
      expect(locked.error.code).toBe('vault.locked');
      const last = await catena.run(
        'key',
        'remove',
        tree.where.keyFile,
        '--repository',
        tree.repository,
        '--json',
      );
      expect(last.error.code).toBe('vault.last-key');
      await take('incremental');
      expect((await list()).slots).toHaveLength(1);
      expect(await tree.flaws()).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'must let a copy-only backup be opened elsewhere (rules.md 1.1)',
    async () => {
      const tree = await ProtectedTree.define(platform, 'bound', { megabytes: 1 });
      await keysAre(tree, `{keyFile: {path: ${tree.where.keyFile}, generate: true}, portable: false}`);
      const refused = await platform.backup(tree.name, tree.repository, 'full', true);
      expect(refused).toMatchObject({
        state: 'refused',
        failure: { code: 'chain.key-not-portable', remedy: expect.stringContaining('portable: true') },
      });
      expect((await platform.backup(tree.name, tree.repository)).state).toBe('completed');
    },
    PATIENCE,
  );
});
