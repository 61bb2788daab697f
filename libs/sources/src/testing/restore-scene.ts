/** What tests of a restore need: a source, a vault in memory and a place to restore to. */
import type { BackupReader } from '@catena/vault';
import * as fs from 'node:fs';
import { filesDriver } from '../files/files-driver.ts';
import { FilesRestore } from '../files/restoring/restore-files.ts';
import type { RestoreMoments } from '../files/restoring/stage.ts';
import type { RestoreOptions, RestoreOutcome } from '../port/source-driver.ts';
import { InMemoryVaultFake } from './in-memory-vault-fake.ts';
import { ScratchFolder } from './sample-tree.ts';

export class RestoreScene {
  readonly scratch = new ScratchFolder();
  readonly vault = new InMemoryVaultFake();
  readonly source = this.scratch.at('source');
  /** In a folder that does not exist either. */
  readonly target = this.scratch.at('place', 'target');

  /** Writes files into the source and backs all of it up. */
  async backedUp(files: Record<string, string>): Promise<string> {
    for (const [name, content] of Object.entries(files)) this.scratch.write(`source/${name}`, content);
    const writer = this.vault.begin();
    await filesDriver.backup({ path: this.source }, writer);
    return (await writer.finish()).backupId;
  }

  restore(
    reader: string | BackupReader,
    options: Partial<RestoreOptions> = {},
    moments: RestoreMoments = {},
    target = this.target,
  ): Promise<RestoreOutcome> {
    const opened = typeof reader === 'string' ? this.vault.open(reader) : reader;
    return new FilesRestore(opened, target, { run: 'run', ...options }, moments).run();
  }

  /** What a file at the target holds. */
  read(...names: string[]): string {
    return fs.readFileSync(this.scratch.at('place', 'target', ...names), 'utf8');
  }

  /** Names beside the target. */
  besideTarget(): string[] {
    return fs.readdirSync(this.scratch.at('place')).filter((name) => name !== 'target');
  }

  remove(): void {
    this.scratch.remove();
  }
}
