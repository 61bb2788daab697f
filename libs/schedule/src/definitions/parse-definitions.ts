import type { DefinitionKind, Specification } from '@catena/events';
import { documentFrame, documentSchemas } from './definition-schema.ts';
import { inReadingOrder, type DefinitionProblem } from './problem.ts';
import { cadenceRules } from './rules/cadences.ts';
import { duplicateRules } from './rules/duplicates.ts';
import { limitRules } from './rules/limits.ts';
import { orderRules } from './rules/order.ts';
import { logRules } from './rules/logs.ts';
import { placementRules } from './rules/placement.ts';
import { referenceRules } from './rules/references.ts';
import { spoolRules } from './rules/spools.ts';
import type { Candidate, KnownDefinition, World } from './rules/world.ts';
import { fieldText, foundText } from './shape/found-text.ts';
import { problemsOfIssues, type ShapeProblem } from './shape/problems-of-issues.ts';
import { withAbsolutePaths, type PathAnchors } from './text/paths.ts';
import { readDocuments, type LocatedDocument } from './text/yaml-documents.ts';

/** A file as a person gave it. */
export interface DefinitionFile {
  /** As problems should name it. */
  readonly name: string;
  readonly text: string;
  /** What relative and anchored paths of this file stand for. */
  readonly anchors?: PathAnchors | undefined;
}

/** One document that is right. */
export interface Definition {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As written, without defaults, paths absolute: a later default changes no stored definition. */
  readonly spec: Specification;
  /** The file it came from. */
  readonly origin: string;
}

export type ParsedDefinitions =
  | {
      readonly ok: true;
      readonly definitions: readonly Definition[];
      /** Accepted, but perhaps not meant. */
      readonly warnings: readonly DefinitionProblem[];
    }
  | { readonly ok: false; readonly problems: readonly DefinitionProblem[] };

export interface ParseOptions {
  /** `mayBeAbsent`: for looking at files alone, when what they name need not be defined anywhere. */
  readonly references?: 'mustExist' | 'mayBeAbsent';
}

/**
 * Reads definition files against what is defined already. All that is wrong in all files is named at once, and then
 * there are no definitions at all (rule 3.10).
 */
export function parseDefinitions(
  files: readonly DefinitionFile[],
  known: readonly KnownDefinition[],
  { references = 'mustExist' }: ParseOptions = {},
): ParsedDefinitions {
  const problems: DefinitionProblem[] = [];
  const candidates: Candidate[] = [];
  for (const file of files) {
    const read = readDocuments(file.name, file.text);
    problems.push(...read.problems);
    for (const document of read.documents) {
      const checked = checkDocument(document, file.anchors ?? {});
      problems.push(...checked.problems);
      if (checked.candidate) candidates.push(checked.candidate);
    }
  }
  const world: World = { known, candidates };
  const { warnings, problems: cadenceProblems } = cadenceRules(world);
  problems.push(
    ...duplicateRules(world),
    ...(references === 'mustExist' ? referenceRules(world) : []),
    ...orderRules(world),
    ...cadenceProblems,
    ...placementRules(world),
    ...limitRules(world),
    ...logRules(world),
    ...spoolRules(world),
  );
  const names = files.map(({ name }) => name);
  if (problems.length > 0) return { ok: false, problems: inReadingOrder(problems, names) };
  return { ok: true, definitions: candidates.map(definitionOf), warnings: inReadingOrder(warnings, names) };
}

function definitionOf({ kind, name, value, spec, document }: Candidate): Definition {
  const { labels = {} } = value['metadata'] as { labels?: Record<string, string> };
  return { kind, name, labels, spec: spec as Specification, origin: document.file };
}

function checkDocument(
  document: LocatedDocument,
  anchors: PathAnchors,
): { problems: DefinitionProblem[]; candidate?: Candidate } {
  const { value } = document;
  const place = (problem: ShapeProblem) => document.locate({ ...problem, field: fieldText(problem.path) });
  if (!isMap(value)) {
    return {
      problems: [
        place({
          code: 'definition.shape',
          path: [],
          at: 'value',
          found: foundText(value, []),
          expected: 'a definition: a map with apiVersion, kind, metadata, spec',
        }),
      ],
    };
  }
  const kind = value['kind'];
  const schema = isKind(kind) ? documentSchemas[kind] : documentFrame;
  const paths = isKind(kind)
    ? withAbsolutePaths(kind, value['spec'], anchors)
    : { spec: value['spec'], problems: [] };
  const parsed = schema.safeParse(value, { reportInput: true });
  const shape = parsed.success ? [] : problemsOfIssues(parsed.error.issues);
  const problems = [...shape, ...paths.problems].map(place);
  const name = nameOf(value);
  if (!isKind(kind) || name === undefined) return { problems };
  return { problems, candidate: { kind, name, value, spec: paths.spec, document, place } };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKind(kind: unknown): kind is DefinitionKind {
  return typeof kind === 'string' && Object.hasOwn(documentSchemas, kind);
}

function nameOf(value: Record<string, unknown>): string | undefined {
  const { metadata } = value;
  return isMap(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : undefined;
}
