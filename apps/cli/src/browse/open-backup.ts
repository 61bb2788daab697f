import type { ChosenBackup } from '@catena/chain';
import type { BackupView } from '@catena/events';
import type { PagedBackupReader, Repository } from '@catena/vault';
import type { Command } from 'commander';
import { backupsOf, choose, chooseFromCatalog, meantAmong, type ChoiceOptions } from '../backup-choice.ts';
import { instant } from '../command-line.ts';
import type { Invocation } from '../invocation.ts';
import {
  backupsIn,
  namesFolder,
  openByHand,
  repositoryOptions,
  type RepositoryOptions,
} from '../repository/open-by-hand.ts';
import { openByName } from '../repository/open-by-name.ts';

/** Options of the commands that look into backups. */
export interface BrowseOptions extends RepositoryOptions, ChoiceOptions {}

export function browseOptions(command: Command): Command {
  return repositoryOptions(command)
    .option('--at <time>', 'the newest backup that shows this time or an earlier one', instant)
    .option('--no-copy-only', 'do not use copy-only backups');
}

/** Opens backups for one command and closes everything at its end. The bytes are read here, with the key. */
export class BackupOpener implements AsyncDisposable {
  readonly #cli: Invocation;
  readonly #options: BrowseOptions;
  readonly #repositories = new Map<string, Promise<Repository>>();
  readonly #readers: PagedBackupReader[] = [];
  #byHand: Promise<BackupView[]> | undefined;

  constructor(cli: Invocation, options: BrowseOptions) {
    this.#cli = cli;
    this.#options = options;
  }

  /** Opens what a person wrote; without a reference what the options say, or whatever is newest. */
  async open(reference: string | undefined): Promise<{ view: BackupView; reader: PagedBackupReader }> {
    const { backup: view } = await this.choose(reference);
    return { view, reader: await this.openView(view) };
  }

  async choose(reference: string | undefined): Promise<ChosenBackup> {
    const { repository } = this.#options;
    if (!namesFolder(repository))
      return chooseFromCatalog(await this.#cli.connect(), reference ?? 'latest', repository, this.#options);
    const { backups, options } = meantAmong(await this.#backupsByHand(repository), reference, this.#options);
    return choose(backups, options);
  }

  /** All usable backups of the source that a person named, or of the one that the backup is of; oldest first. */
  async allOfSource(reference: string): Promise<BackupView[]> {
    const { backup } = await this.choose(reference);
    const { repository } = this.#options;
    const all = namesFolder(repository)
      ? await this.#backupsByHand(repository)
      : await backupsOf(await this.#cli.connect(), backup.source, repository);
    const { copyOnly } = this.#options;
    return all
      .filter((one) => one.sourceUid === backup.sourceUid && one.state === 'usable' && one.type !== 'log')
      .filter((one) => copyOnly !== false || !one.copyOnly)
      .sort((a, b) => (a.asOf < b.asOf ? -1 : a.asOf > b.asOf ? 1 : 0));
  }

  async openView(view: BackupView): Promise<PagedBackupReader> {
    const repository = await this.#repositoryOf(view);
    const reader = await repository
      .collection(view.collection)
      .openBackup({ backupId: view.backup, name: view.manifest.name });
    this.#readers.push(reader);
    return reader;
  }

  #repositoryOf(view: BackupView): Promise<Repository> {
    const { repository } = this.#options;
    if (namesFolder(repository)) return this.#folder(repository);
    return this.#kept(view.repository, async () => openByName(await this.#cli.connect(), view.repository));
  }

  #folder(folder: string): Promise<Repository> {
    return this.#kept(folder, () => openByHand(folder, this.#options));
  }

  #kept(name: string, open: () => Promise<Repository>): Promise<Repository> {
    const repository = this.#repositories.get(name) ?? open();
    this.#repositories.set(name, repository);
    return repository;
  }

  #backupsByHand(folder: string): Promise<BackupView[]> {
    this.#byHand ??= this.#folder(folder).then(async (repository) => {
      const { backups, unreadable } = await backupsIn(repository);
      for (const { name, message } of unreadable) this.#cli.remark(`unreadable manifest ${name}: ${message}`);
      return backups;
    });
    return this.#byHand;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers) await reader.close();
    for (const repository of this.#repositories.values()) {
      await repository.then(
        (opened) => opened.close(),
        () => undefined, // it was not opened, which has been thrown already
      );
    }
  }
}
