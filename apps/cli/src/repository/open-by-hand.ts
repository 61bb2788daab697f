import { readFile } from 'node:fs/promises';
import type { BackupView } from '@catena/events';
import { backupViewOf } from './manifest-view.ts';
import { openRepository, parseRecoveryKey, readKey, type Repository, type UnlockKey } from '@catena/vault';
import type { Command } from 'commander';

/** Options of the commands that can read a repository with no service running. */
export interface RepositoryOptions {
  repository?: string;
  keyFile?: string;
  passphraseFile?: string;
  recoveryKey?: string;
}

/** Adds the options that open a repository by hand. */
export function repositoryOptions(command: Command): Command {
  return command
    .option(
      '--repository <name|folder>',
      'a repository by its name, or its folder with a slash (./vault): then no service is needed',
    )
    .option('--key-file <file>', 'with a folder: the key file that opens it')
    .option('--passphrase-file <file>', 'with a folder: a file that holds its passphrase')
    .option('--recovery-key <file>', 'with a folder: a recovery key that was exported');
}

/** Whether the person named a folder rather than a definition: a path has a slash, as with commands of a shell. */
export function namesFolder(repository: string | undefined): repository is string {
  return repository !== undefined && (repository.includes('/') || repository === '.' || repository === '..');
}

/** Opens the repository in a folder with the keys that were named. */
export async function openByHand(folder: string, options: RepositoryOptions): Promise<Repository> {
  const keys: UnlockKey[] = [];
  if (options.keyFile !== undefined) keys.push(await readKey({ keyFile: { path: options.keyFile } }));
  if (options.passphraseFile !== undefined)
    keys.push(await readKey({ passphrase: { file: options.passphraseFile } }));
  if (options.recoveryKey !== undefined)
    keys.push(parseRecoveryKey(await readFile(options.recoveryKey, 'utf8')));
  return openRepository(folder, { keys });
}

/** Everything a repository says it holds, from manifests in clear, and what could not be read. */
export async function backupsIn(repository: Repository): Promise<{
  backups: BackupView[];
  /** By branch of a source's history, where it left its parent. */
  forks: Map<string, { parent: string; at: string }>;
  unreadable: { name: string; message: string }[];
}> {
  const backups: BackupView[] = [];
  const forks = new Map<string, { parent: string; at: string }>();
  const unreadable: { name: string; message: string }[] = [];
  for (const id of await repository.collections()) {
    for await (const found of repository.collection(id).listBackups()) {
      if ('manifest' in found) {
        backups.push(backupViewOf(found));
        const { fork, forkParent: parent, forkAt: at } = found.manifest.position ?? {};
        if (fork !== undefined && parent !== undefined && at !== undefined) forks.set(fork, { parent, at });
      } else unreadable.push({ name: found.name, message: found.error.message });
    }
  }
  backups.sort((a, b) => (a.asOf < b.asOf ? 1 : a.asOf > b.asOf ? -1 : 0));
  return { backups, forks, unreadable };
}
