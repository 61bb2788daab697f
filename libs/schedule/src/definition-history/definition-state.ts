import type { DefinitionKind, Specification } from '@catena/events';
import type { TimedEvent } from '../folding/timed-event.ts';

/** A definition as its events leave it. Plain JSON. */
export interface DefinitionState {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly uid: string;
  /** Of the spec: 1 for the first. */
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Specification;
  readonly origin?: string;
  /** The folder that decides upon it. */
  readonly managedBy?: string;
  /** When it last was applied with a change. */
  readonly appliedAt: string;
  readonly deleted: boolean;
}

/** The definition after one more of its events; nothing before its first. */
export function evolveDefinition(
  state: DefinitionState | undefined,
  event: TimedEvent,
): DefinitionState | undefined {
  switch (event.type) {
    case 'definition.applied': {
      const { origin, managedBy, ...data } = event.data;
      return {
        ...data,
        ...(origin === undefined ? {} : { origin }),
        ...(managedBy === undefined ? {} : { managedBy }),
        appliedAt: event.time,
        deleted: false,
      };
    }
    case 'definition.deleted':
      return state && { ...state, deleted: true };
    default:
      return state;
  }
}
