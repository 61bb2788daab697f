import { chmod, constants, copyFile, readFile } from 'node:fs/promises';
import { catalogRequests } from '@catena/events';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { commandGroup, subcommand, type Act } from '../command-line.ts';
import { generateKeyFile, readKey, type SlotKey } from '@catena/vault';
import { NotPossibleError, UsageError } from '../invocation.ts';
import { repositoryOptions, type RepositoryOptions } from '../repository/open-by-hand.ts';
import { plural } from '../presentation/quantities.ts';
import { addKeySlots, withRepository } from './key-slots.ts';

/** Never over another key; what an earlier call has copied is fine. */
async function copyKey(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!(await readFile(from)).equals(await readFile(to))) {
      throw new NotPossibleError(
        `${to} exists already and is another file.`,
        'Choose another name; a key is never overwritten.',
      );
    }
  }
  await chmod(to, 0o600);
}

function addKeyExport(group: Command, act: Act): void {
  subcommand(
    group,
    'export',
    'Stores a copy of a generated key elsewhere, and stops the nagging',
    'catena key export vault --to /media/usb/vault.key',
  )
    .argument('<repository>', 'its name')
    .requiredOption('--to <file>', 'a file that does not exist yet, best on another device')
    .action(
      act(async (cli, repository: string, options: { to: string }) => {
        const client = await cli.connect();
        const key = (await askCurrent(client, catalogRequests.listKeys, {})).items.findLast(
          (item) => item.repository === repository,
        );
        if (!key)
          throw new NotPossibleError(
            `There is no generated key of a repository "${repository}".`,
            'A passphrase or a key file of your own is yours to store. See "catena get repositories".',
          );
        await copyKey(key.path, options.to);
        const result = await client.ask(catalogRequests.keyExported, {
          ...cli.command(),
          repository,
          keyId: key.keyId,
        });
        cli.answer({ repository, keyId: key.keyId, file: options.to, ...result });
        cli.say(
          `Key ${key.keyId} of ${repository} is stored in ${options.to}. Whoever has it can read every backup there.`,
        );
      }),
    );
}

function addKeyAdd(group: Command, act: Act): void {
  repositoryOptions(
    subcommand(
      group,
      'add',
      'Lets one more key open a repository; no data is touched',
      'catena key add --repository vault --new-passphrase-file /root/second.passphrase\ncatena key add --repository /mnt/vault --key-file old.key --new-key-file new.key',
    ),
  )
    .option('--new-key-file <file>', 'the key file to add; made when it is not there')
    .option('--new-passphrase-file <file>', 'a file with the passphrase to add')
    .action(
      act(async (cli, options: RepositoryOptions & { newKeyFile?: string; newPassphraseFile?: string }) => {
        const added = await newKeyOf(options);
        await withRepository(cli, options, async (repository) => {
          const collections = await repository.collections();
          for (const id of collections) await repository.collection(id).addKey(added);
          cli.answer({ collections });
          cli.say(
            `The key in ${options.newKeyFile ?? options.newPassphraseFile} opens ${plural(collections.length, 'collection')} now. Name it under encryption.keys of the Repository too, so that new collections get it.`,
          );
        });
      }),
    );
}

/** The key to add, read from its place; a recovery key cannot wrap others. */
async function newKeyOf(options: { newKeyFile?: string; newPassphraseFile?: string }): Promise<SlotKey> {
  if ((options.newKeyFile === undefined) === (options.newPassphraseFile === undefined)) {
    throw new UsageError('Give exactly one of --new-key-file and --new-passphrase-file.');
  }
  if (options.newKeyFile !== undefined) {
    await generateKeyFile(options.newKeyFile);
    return readKey({ keyFile: { path: options.newKeyFile } });
  }
  return readKey({ passphrase: { file: options.newPassphraseFile ?? '' } });
}

/** `catena key export | add | list | remove | rotate`: who can open a repository. */
export function addKey(program: Command, act: Act): void {
  const group = commandGroup(
    program,
    'key',
    'Who can open a repository: lists, adds and removes keys, rotates data keys, stores generated keys elsewhere',
    'catena key export vault --to /media/usb/vault.key\ncatena key add --repository vault --new-passphrase-file /root/second.passphrase',
  );
  addKeyExport(group, act);
  addKeyAdd(group, act);
  addKeySlots(group, act);
}
