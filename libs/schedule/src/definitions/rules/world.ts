import type { DefinitionKind } from '@catena/events';
import type { DefinitionProblem } from '../problem.ts';
import type { ShapeProblem } from '../shape/problems-of-issues.ts';
import type { LocatedDocument } from '../text/yaml-documents.ts';

/** What is defined already, as far as rules between definitions need it. */
export interface KnownDefinition {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A document whose kind and name can be told; the rest of it may still be wrong. */
export interface Candidate {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** `value.spec` with absolute paths. */
  readonly spec: unknown;
  readonly document: LocatedDocument;
  readonly place: (problem: ShapeProblem) => DefinitionProblem;
}

/** Everything that would be defined if the files were applied. */
export interface World {
  readonly known: readonly KnownDefinition[];
  readonly candidates: readonly Candidate[];
}

/** Either a document of the files, or what is defined already and not replaced by one. */
export type Member = { readonly kind: DefinitionKind; readonly name: string; readonly spec: unknown } & {
  readonly candidate?: Candidate;
};

export function membersOf(world: World, kind: DefinitionKind): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const known of world.known) if (known.kind === kind) members.set(known.name, known);
  for (const candidate of world.candidates) {
    if (candidate.kind === kind) members.set(candidate.name, { ...candidate, candidate });
  }
  return members;
}

/** A value deep in something that may have any shape. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, step)
        ? (inner as Record<string, unknown>)[step]
        : undefined,
    value,
  );
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = valueAt(value, ...path);
  return typeof text === 'string' ? text : undefined;
}
