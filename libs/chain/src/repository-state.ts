import type { FoldableEvent } from '@catena/run';

/** What the log knows of a repository itself, folded from its own events. */
export interface RepositoryState {
  readonly repository: string;
  readonly initialised: boolean;
  /** Generated keys, and whether somebody has stored them elsewhere. */
  readonly keys: ReadonlyMap<string, { readonly exported: boolean }>;
}

/** @param uid of the Repository definition. */
export function initialRepository(uid: string): RepositoryState {
  return { repository: uid, initialised: false, keys: new Map() };
}

export function evolveRepository(state: RepositoryState, event: FoldableEvent): RepositoryState {
  switch (event.type) {
    case 'repository.initialised':
      return { ...state, initialised: true };
    case 'repository.key-generated':
      return { ...state, keys: new Map(state.keys).set(event.data.keyId, { exported: false }) };
    case 'repository.key-exported':
      return { ...state, keys: new Map(state.keys).set(event.data.keyId, { exported: true }) };
    default:
      return state;
  }
}
