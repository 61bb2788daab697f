import {
  CatenaError,
  definitionId,
  domainEvent,
  type AnyDomainEvent,
  type DefinitionKind,
} from '@catena/events';
import type { Definition } from '../definitions/parse-definitions.ts';
import { referencesOf } from '../definitions/rules/references.ts';
import type { KnownDefinition } from '../definitions/rules/world.ts';
import type { DefinitionState } from './definition-state.ts';
import { sameJson } from './same-json.ts';

/** What applying one document comes to. */
export interface AppliedDefinition {
  readonly action: 'created' | 'changed' | 'unchanged';
  readonly uid: string;
  readonly events: readonly AnyDomainEvent[];
}

/**
 * Applies a document (rule 3.9): the same again appends nothing, a changed one keeps its uid, and a deleted one that
 * comes again is a new thing.
 * @param state its history, if it has one
 * @param newUid taken when there is none to keep
 * @param folder decides upon it from now on; absent: who did before
 */
export function applyDefinition(
  state: DefinitionState | undefined,
  definition: Definition,
  newUid: string,
  folder?: string,
): AppliedDefinition {
  const { kind, name, labels, spec, origin } = definition;
  const current = state?.deleted === false ? state : undefined;
  const sameSpec = current !== undefined && sameJson(current.spec, spec);
  const managedBy = folder ?? current?.managedBy;
  const sameFolder = managedBy === current?.managedBy;
  if (current && sameSpec && sameFolder && sameJson(current.labels, labels)) {
    return { action: 'unchanged', uid: current.uid, events: [] };
  }
  const uid = current?.uid ?? newUid;
  const generation = (current?.generation ?? 0) + (sameSpec ? 0 : 1);
  return {
    action: current ? 'changed' : 'created',
    uid,
    events: [
      domainEvent('definition.applied', definitionId(kind, name), {
        kind,
        name,
        uid,
        generation,
        labels,
        spec,
        origin,
        ...(managedBy === undefined ? {} : { managedBy }),
      }),
    ],
  };
}

/** A definition that others still name. */
export class DefinitionInUseError extends CatenaError {
  readonly usedBy: readonly { readonly kind: DefinitionKind; readonly name: string }[];

  constructor(kind: DefinitionKind, name: string, usedBy: readonly KnownDefinition[]) {
    const users = usedBy.map((user) => `${user.kind} "${user.name}"`).join(', ');
    const verb = usedBy.length === 1 ? 'names' : 'name';
    super('definition.in-use', `The ${kind} "${name}" cannot be deleted: ${users} still ${verb} it.`, {
      remedy: 'Delete or change those first.',
      details: { usedBy: usedBy.map((user) => ({ kind: user.kind, name: user.name })) },
    });
    this.usedBy = usedBy;
  }
}

/**
 * Deletes a definition; what is not there stays so. Backups are never touched (rule 3.9).
 * @param others every definition that is not deleted
 * @throws DefinitionInUseError when one of them names it.
 */
export function deleteDefinition(
  state: DefinitionState | undefined,
  others: Iterable<KnownDefinition>,
): AnyDomainEvent[] {
  if (!state || state.deleted) return [];
  const { kind, name, uid } = state;
  const usedBy = [...others].filter((other) =>
    referencesOf(other.kind, other.spec).some(
      (reference) => reference.kind === kind && reference.name === name,
    ),
  );
  if (usedBy.length > 0) throw new DefinitionInUseError(kind, name, usedBy);
  return [domainEvent('definition.deleted', definitionId(kind, name), { kind, name, uid })];
}
