import type { Command } from 'commander';
import type { KeyReport, Repository } from '@catena/vault';
import { subcommand, type Act } from '../command-line.ts';
import { NotPossibleError, UsageError, type Invocation } from '../invocation.ts';
import { formatInstant, plural } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';

import {
  namesFolder,
  openByHand,
  repositoryOptions,
  type RepositoryOptions,
} from '../repository/open-by-hand.ts';
import { openByName } from '../repository/open-by-name.ts';

/** Opens the repository that a person names, by its folder without any service, and closes it afterwards. */
export async function withRepository(
  cli: Invocation,
  options: RepositoryOptions,
  use: (repository: Repository) => Promise<void>,
): Promise<void> {
  if (options.repository === undefined)
    throw new UsageError('Say which repository: --repository <name|folder>.');
  const repository = namesFolder(options.repository)
    ? await openByHand(options.repository, options)
    : await openByName(await cli.connect(), options.repository);
  try {
    await use(repository);
  } finally {
    await repository.close();
  }
}

async function reportsOf(repository: Repository): Promise<KeyReport[]> {
  const reports: KeyReport[] = [];
  for (const id of await repository.collections()) reports.push(await repository.collection(id).keyReport());
  return reports;
}

function addKeyList(group: Command, act: Act): void {
  repositoryOptions(
    subcommand(
      group,
      'list',
      'Which keys open a repository, which data keys its backups need, and which of those are lost',
      'catena key list --repository vault\ncatena key list --repository /mnt/vault       # needs no key',
    ),
  ).action(
    act(async (cli, options: RepositoryOptions) =>
      withRepository(cli, options, async (repository) => {
        const items = await reportsOf(repository);
        cli.answer({ items });
        for (const { collection, slots, dataKeys } of items) {
          cli.say(collection);
          cli.say(
            formatTable(
              ['KEY', 'KIND', 'NAME', 'PORTABLE', 'SINCE'],
              slots.map(({ id, kind, name, portable, createdAt }) => [
                ...[id, kind, name],
                ...[portable ? 'yes' : 'no', formatInstant(createdAt)],
              ]),
            ),
          );
          cli.say(
            formatTable(
              ['DATA KEY', 'STATE', 'BACKUPS'],
              dataKeys.map(({ id, state, backups }) => [id, state, String(backups.length)]),
            ),
          );
          for (const { id, state, backups } of dataKeys)
            if (state === 'lost')
              cli.say(`The data key ${id} is on no keyring. It would open ${backups.join(', ')}.`);
        }
      }),
    ),
  );
}

function addKeyRemove(group: Command, act: Act): void {
  repositoryOptions(
    subcommand(
      group,
      'remove',
      'A key no longer opens a repository; no data is touched, and who had it may have kept what it opened',
      'catena key remove 1f3a9c0d5e7b2468 --repository vault\ncatena key remove /root/old.key --repository vault',
    ),
  )
    .argument('<key>', 'its id or its name, as "catena key list" shows them')
    .action(
      act(async (cli, key: string, options: RepositoryOptions) =>
        withRepository(cli, options, async (repository) => {
          const removed: { collection: string; key: string }[] = [];
          for (const { collection, slots } of await reportsOf(repository))
            for (const { id, name } of slots) {
              if (id !== key && name !== key) continue;
              await repository.collection(collection).removeKey(id);
              removed.push({ collection, key: id });
            }
          if (removed.length === 0)
            throw new NotPossibleError(
              `No key of the repository has the id or the name "${key}".`,
              'See them with "catena key list".',
            );
          cli.answer({ removed });
          cli.say(
            `The key no longer opens ${plural(removed.length, 'collection')}. Take it out of encryption.keys of the Repository, or the next backup adds it again. Backups made so far could still be read by who kept what it opened: "catena key rotate" gives new objects a data key of their own.`,
          );
        }),
      ),
    );
}

function addKeyRotate(group: Command, act: Act): void {
  repositoryOptions(
    subcommand(
      group,
      'rotate',
      'New objects get a new data key; what is there stays readable, and chains go on',
      'catena key rotate --repository vault',
    ),
  ).action(
    act(async (cli, options: RepositoryOptions) =>
      withRepository(cli, options, async (repository) => {
        const rotated: { collection: string; dataKey: string }[] = [];
        for (const collection of await repository.collections()) {
          await repository.collection(collection).rotateKey();
          const { dataKeys } = await repository.collection(collection).keyReport();
          const active = dataKeys.find(({ state }) => state === 'active');
          rotated.push({ collection, dataKey: active?.id ?? '' });
        }
        cli.answer({ rotated });
        cli.say(
          `New objects of ${plural(rotated.length, 'collection')} are sealed with a new data key from now on. A full, read or composed, brings everything under it.`,
        );
      }),
    ),
  );
}

/** `catena key list | remove | rotate`. */
export function addKeySlots(group: Command, act: Act): void {
  addKeyList(group, act);
  addKeyRemove(group, act);
  addKeyRotate(group, act);
}
