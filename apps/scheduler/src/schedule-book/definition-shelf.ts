import type { DefinitionState } from '@catena/schedule';
import { EMPTY_HEAD, type AggregateHead } from '@catena/event-log';

/** A definition's history as far as it was read, and where it ends. */
export interface ShelvedDefinition {
  readonly state: DefinitionState | undefined;
  readonly head: AggregateHead;
}

/**
 * Definitions by id. Those of schedules are kept as texts: there may be a million, and what the scheduler goes by every
 * second is kept beside them in a form of its own.
 */
export class DefinitionShelf {
  readonly #states = new Map<string, DefinitionState | string>();
  readonly #heads = new Map<string, AggregateHead>();

  put(id: string, { state, head }: ShelvedDefinition): void {
    this.#heads.set(id, head);
    if (state) this.#states.set(id, state.kind === 'Schedule' ? JSON.stringify(state) : state);
  }

  get(id: string): ShelvedDefinition {
    const kept = this.#states.get(id);
    return { state: kept === undefined ? undefined : opened(kept), head: this.#heads.get(id) ?? EMPTY_HEAD };
  }

  *states(): Iterable<DefinitionState> {
    for (const kept of this.#states.values()) yield opened(kept);
  }
}

function opened(kept: DefinitionState | string): DefinitionState {
  return typeof kept === 'string' ? (JSON.parse(kept) as DefinitionState) : kept;
}
