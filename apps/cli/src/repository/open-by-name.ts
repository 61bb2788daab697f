import { catalogRequests, type DefinitionView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { askCurrent } from '../ask-current.ts';
import { openRepository, readKey, type Repository } from '@catena/vault';
import { NotPossibleError } from '../invocation.ts';

/** The definition of a repository. */
export async function repositoryDefinition(client: CatenaClient, name: string): Promise<DefinitionView> {
  const definition = (
    await askCurrent(client, catalogRequests.listDefinitions, { kind: 'Repository', name })
  ).items.find((item) => !item.deleted);
  if (!definition)
    throw new NotPossibleError(
      `There is no Repository "${name}".`,
      'List them with "catena get repositories", or name its folder.',
    );
  return definition;
}

/** Opens a repository as its definition says; its folder and keys must be within reach of this machine and user. */
export async function openByName(client: CatenaClient, name: string): Promise<Repository> {
  // Only who asks the platform needs to read definitions.
  const { readRepositorySpec } = await import('@catena/schedule');
  const spec = readRepositorySpec((await repositoryDefinition(client, name)).spec);
  return openRepository(spec.fs.path, { keys: await Promise.all(spec.keys.map((key) => readKey(key))) });
}
