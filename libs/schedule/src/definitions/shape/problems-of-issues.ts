import type { z } from 'zod';
import { nearestName } from '../../nearest-name.ts';
import type { ProblemCode } from '../problem.ts';
import type { MismatchParams } from './building-blocks.ts';
import { foundText } from './found-text.ts';

type Issue = z.core.$ZodIssue;

/** A problem that still needs its place in a file. */
export interface ShapeProblem {
  readonly code: ProblemCode;
  readonly path: readonly PropertyKey[];
  /** Whether the fault is the field's name or its value; a missing field is reported at what should hold it. */
  readonly at: 'name' | 'value' | 'holder';
  /** Characters into a text value. */
  readonly offset?: number | undefined;
  readonly found: string;
  readonly expected: string;
  readonly remedy?: string | undefined;
}

/** What a schema says about a value, in the words of a person who wrote YAML. */
export function problemsOfIssues(issues: readonly Issue[]): ShapeProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, []));
}

function problemsOfIssue(issue: Issue, prefix: readonly PropertyKey[]): ShapeProblem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined)
    return [alternativeUnknown(issue, path)];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownField(key, path, issue.message));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return alternativeProblems(issue, path);
  if (issue.code === 'invalid_key') return [shapeProblem('definition.shape', path, 'name', issue)];
  if (issue.input === undefined && issue.code !== 'custom') {
    return [{ ...shapeProblem('definition.missing-field', path, 'holder', issue), found: 'nothing' }];
  }
  return [shapeProblem('definition.shape', path, 'value', issue)];
}

function shapeProblem(
  code: ProblemCode,
  path: readonly PropertyKey[],
  at: ShapeProblem['at'],
  issue: Issue,
): ShapeProblem {
  const params: MismatchParams = issue.code === 'custom' ? (issue.params ?? {}) : {};
  return {
    code: params.code ?? (isSecretInClear(path, issue.input) ? 'definition.secret-in-clear' : code),
    path,
    at,
    offset: params.offset,
    found: params.found ?? foundText(issue.input, path),
    expected: issue.message,
    remedy: params.remedy ?? nearestValue(issue),
  };
}

/** A text where only a reference may stand. */
function isSecretInClear(path: readonly PropertyKey[], input: unknown): boolean {
  return typeof input === 'string' && ['passphrase', 'secret'].includes(String(path.at(-1)));
}

function unknownField(name: string, path: readonly PropertyKey[], known: string): ShapeProblem {
  const nearest = nearestName(name, known.split(', '));
  return {
    code: 'definition.unknown-field',
    path: [...path, name],
    at: 'name',
    found: `the field "${name}"`,
    expected: known.includes(', ') ? `one of ${known}` : `only ${known}`,
    remedy: nearest === undefined ? undefined : `Did you mean "${nearest}"?`,
  };
}

function nearestValue(issue: Issue): string | undefined {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return undefined;
  const nearest = nearestName(issue.input, issue.values.map(String));
  return nearest === undefined ? undefined : `Did you mean "${nearest}"?`;
}

/** The field that decides between alternatives holds none of their names. */
function alternativeUnknown(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
): ShapeProblem {
  const given = (issue.input as Record<string, unknown> | undefined)?.[issue.discriminator ?? ''];
  const names = 'options' in issue ? (issue.options ?? []).map(String) : [];
  const nearest = typeof given === 'string' ? nearestName(given, names) : undefined;
  return {
    code: given === undefined ? 'definition.missing-field' : 'definition.shape',
    path,
    at: given === undefined ? 'holder' : 'value',
    found: foundText(given, path),
    expected: issue.message,
    remedy: nearest === undefined ? undefined : `Did you mean "${nearest}"?`,
  };
}

/** Of the alternatives only the one that the value's kind (text, map, …) fits is worth talking about. */
function alternativeProblems(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
): ShapeProblem[] {
  const fitting = issue.errors.filter(
    (branch) => !branch.some(({ code, path: place }) => code === 'invalid_type' && place.length === 0),
  );
  const [branch] = fitting;
  if (branch && fitting.length === 1) return branch.flatMap((inner) => problemsOfIssue(inner, path));
  return [shapeProblem('definition.shape', path, 'value', issue)];
}
