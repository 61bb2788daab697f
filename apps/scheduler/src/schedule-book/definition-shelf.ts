import type { DefinitionKind } from '@catena/events';
import { EMPTY_HEAD, type AggregateHead } from '@catena/event-log';
import type { DefinitionState } from '@catena/schedule';
import { frozenEntries } from './frozen-entries.ts';

/** A definition's history as far as it was read, and where it ends. */
export interface ShelvedDefinition {
  readonly state: DefinitionState | undefined;
  readonly head: AggregateHead;
}

interface Shelved {
  /** The state as JSON. */
  readonly text: string;
  readonly sequence: number;
  readonly hash: string;
}

/** A definition as it is kept: kind, name, its state as JSON, and its head. */
export type CapturedDefinition = readonly [
  kind: DefinitionKind,
  name: string,
  text: string,
  sequence: number,
  hash: string,
];

/**
 * Definitions by kind and name, deleted ones too. They are kept as texts: there may be a million, and what is asked
 * for every second is little.
 */
export class DefinitionShelf {
  readonly #byKind = new Map<DefinitionKind, Map<string, Shelved>>();

  get size(): number {
    let size = 0;
    for (const shelf of this.#byKind.values()) size += shelf.size;
    return size;
  }

  put(state: DefinitionState, { sequence, hash }: AggregateHead): void {
    this.#shelf(state.kind).set(state.name, { text: JSON.stringify(state), sequence, hash });
  }

  get(kind: DefinitionKind, name: string): ShelvedDefinition {
    const shelved = this.#byKind.get(kind)?.get(name);
    if (!shelved) return { state: undefined, head: EMPTY_HEAD };
    const { text, sequence, hash } = shelved;
    return { state: opened(text), head: { sequence, hash } };
  }

  *states(): Iterable<DefinitionState> {
    for (const shelf of this.#byKind.values()) for (const { text } of shelf.values()) yield opened(text);
  }

  /** All of it as it is now; what is read later does not change it. */
  capture(): Iterable<CapturedDefinition> {
    const shelves = [...this.#byKind].map(([kind, shelf]) => ({ kind, entries: frozenEntries(shelf) }));
    return {
      *[Symbol.iterator]() {
        for (const { kind, entries } of shelves)
          for (const [name, { text, sequence, hash }] of entries)
            yield [kind, name, text, sequence, hash] as const;
      },
    };
  }

  restore([kind, name, text, sequence, hash]: CapturedDefinition): void {
    this.#shelf(kind).set(name, { text, sequence, hash });
  }

  #shelf(kind: DefinitionKind): Map<string, Shelved> {
    const known = this.#byKind.get(kind);
    if (known) return known;
    const shelf = new Map<string, Shelved>();
    this.#byKind.set(kind, shelf);
    return shelf;
  }
}

function opened(text: string): DefinitionState {
  return JSON.parse(text) as DefinitionState;
}
