import type { DefinitionSnapshot, Failure } from '@catena/events';

/** Why nothing in a repository may be deleted, as its definition says; `undefined` when it may. */
export function deletionRefused(repository: DefinitionSnapshot): Failure | undefined {
  const { name } = repository;
  switch (repository.spec['access']) {
    case 'external':
      return {
        code: 'chain.repository-external',
        message: `The repository ${name} is external: nothing in it is deleted.`,
        remedy: 'Only the installation that owns it prunes and sweeps it.',
        retryable: false,
      };
    case 'appendOnly':
      return {
        code: 'chain.repository-append-only',
        message: `The repository ${name} is append-only: its movers cannot delete, so nothing is pruned or swept.`,
        remedy: `Where a mover runs whose credentials may delete, apply ${name} with access: readWrite, ask again, then apply it with access: appendOnly.`,
        retryable: false,
      };
    default:
      return undefined;
  }
}
