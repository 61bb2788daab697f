import type { ChosenBackup } from '@catena/chain';
import type { BackupView } from '@catena/events';
import type { PagedBackupReader, Repository } from '@catena/vault';
import type { Command } from 'commander';
import {
  backupsOf,
  choose,
  chooseFromCatalog,
  LATEST,
  meantAmong,
  type ChoiceOptions,
} from '../backup-choice.ts';
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
  /** Manifests that were said to be unreadable. */
  readonly #told = new Set<string>();

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
    const { backups, options } = meantAmong(await this.#all(), reference, this.#options);
    return choose(backups, options);
  }

  /** What a person wrote: one backup, or a source; neither when nothing was written. */
  async meaning(reference: string | undefined): Promise<{ source: string | undefined; isOne: boolean }> {
    if (reference === undefined) return { source: undefined, isOne: false };
    const { source, options } = meantAmong(await this.#all(), reference, this.#options);
    const isOne = options.backup !== undefined || options.at !== undefined || reference === LATEST;
    return { source, isOne };
  }

  /** All backups that can be looked into, of one source or of all, as it is now; oldest first. */
  async usable(source?: string): Promise<BackupView[]> {
    const { copyOnly } = this.#options;
    return (await this.#all())
      .filter((one) => source === undefined || one.source === source)
      .filter((one) => one.state === 'usable' && one.type !== 'log' && (copyOnly !== false || !one.copyOnly))
      .sort((a, b) => (a.asOf < b.asOf ? -1 : a.asOf > b.asOf ? 1 : 0));
  }

  /** All usable backups of the source that a person named, or of the one that the backup is of; oldest first. */
  async allOfSource(reference: string): Promise<BackupView[]> {
    const { backup } = await this.choose(reference);
    return this.usable(backup.source);
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

  async #all(): Promise<readonly BackupView[]> {
    const { repository } = this.#options;
    if (!namesFolder(repository)) return backupsOf(await this.#cli.connect(), undefined, repository);
    const { backups, unreadable } = await backupsIn(await this.#folder(repository));
    for (const { name, message } of unreadable) {
      if (!this.#told.has(name)) this.#cli.remark(`unreadable manifest ${name}: ${message}`);
      this.#told.add(name);
    }
    return backups;
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
