import type { CatenaClient } from '@catena/client';
import { definitionsOf } from './commands/get.ts';
import type { ListOptions } from './list-options.ts';

/**
 * A list that is empty because a name is wrong looks like one of a source without backups. What is not defined any more
 * and has left something is found by that.
 * @throws NotPossibleError for a source or a repository that there is not.
 */
export async function mustBeKnown(
  client: CatenaClient,
  found: readonly unknown[],
  { source, repository }: Pick<ListOptions, 'source' | 'repository'>,
): Promise<void> {
  if (found.length > 0) return;
  if (source !== undefined) await definitionsOf(client, 'Source', { name: source });
  if (repository !== undefined) await definitionsOf(client, 'Repository', { name: repository });
}
