import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupView } from '@catena/events';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

describe('a backup into a chain that a person chooses (rule 1.9)', () => {
  let platform: TestPlatform;
  let catena: CatenaCommand;
  let fulls: BackupView[];

  beforeAll(async () => {
    platform = await TestPlatform.start();
    catena = new CatenaCommand(platform.home, { folder: platform.folder });
    const { source } = await platform.defineFiles({ source: 'home', repository: 'vault' });
    platform.write(source, { 'a.txt': 'one\n' });
    await platform.backup('home', 'vault');
    await platform.backup('home', 'vault');
    fulls = (await platform.backups('home')).toReversed();
  });
  afterAll(() => platform[Symbol.asyncDispose](), 60_000);

  async function backupInto(type: string, into: string): Promise<BackupView | undefined> {
    const { run } = await catena.ask<{ run: string }>(
      'backup',
      'home',
      '--repository',
      'vault',
      '--type',
      type,
      '--into',
      into,
    );
    return (await platform.backups('home')).find((backup) => backup.run === run);
  }

  it('binds a differential to the full of the folder, and an incremental to the newest of that chain', async () => {
    const [older] = fulls;
    const folder = /\d{4}\/\d\d\/[^/]+(?=\/manifest\.json$)/.exec(older?.manifest.name ?? '')?.[0] ?? '';
    const differential = await backupInto('differential', folder);
    expect(differential).toMatchObject({ base: older?.backup, chain: older?.backup });
    expect(await backupInto('incremental', older?.backup ?? '')).toMatchObject({
      parent: differential?.backup,
      chain: older?.backup,
    });
  });

  it('takes the newest full for latest', async () => {
    expect(await backupInto('incremental', 'latest')).toMatchObject({ parent: fulls[1]?.backup });
  });

  it('refuses a folder in which there is no full, and changes nothing', async () => {
    const before = await platform.client.log.lastSequence();
    const refused = await catena.refused(
      'backup',
      'home',
      '--repository',
      'vault',
      '--type',
      'incremental',
      '--into',
      '1999/01/01-000000.00',
    );
    expect(refused).toMatchObject({ code: 'cli.usage', exit: 2 });
    expect(await platform.client.log.lastSequence()).toBe(before);
  });
});
