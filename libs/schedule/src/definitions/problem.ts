import { CatenaError } from '@catena/events';

/** Stable codes of what can be wrong with a definition. */
export type ProblemCode =
  | 'definition.yaml'
  | 'definition.shape'
  | 'definition.unknown-field'
  | 'definition.missing-field'
  | 'definition.cron'
  | 'definition.time-zone'
  | 'definition.path'
  | 'definition.secret-in-clear'
  | 'definition.reference'
  | 'definition.duplicate'
  | 'definition.cadence'
  | 'definition.copy-only'
  | 'definition.retention'
  | 'definition.limits'
  | 'definition.no-log'
  | 'definition.shared-spool'
  | 'definition.repository-inside-source';

/** One thing that is wrong, where, and what would be right. Never carries a secret. */
export interface DefinitionProblem {
  readonly code: ProblemCode;
  /** As the caller named it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** `spec.full`, `spec.encryption.keys[0]`; empty for the document itself. */
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  readonly remedy?: string | undefined;
}

/** `file:line:column: field: found …, expected …. remedy` — the form editors and terminals make clickable. */
export function describeProblem(problem: DefinitionProblem): string {
  const { file, line, column, field, found, expected, remedy } = problem;
  const subject = field === '' ? '' : `${field}: `;
  const advice = remedy === undefined ? '' : ` ${remedy}`;
  return `${file}:${line}:${column}: ${subject}found ${found}, expected ${expected}.${advice}`;
}

/** Files that were refused whole (rule 3.10): nothing of them was applied, what was there before stays. */
export class DefinitionsRefusedError extends CatenaError {
  readonly problems: readonly DefinitionProblem[];

  constructor(problems: readonly DefinitionProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      'definition.refused',
      [`The definitions have ${count} and are refused whole:`, ...problems.map(describeProblem)].join('\n'),
      { remedy: 'Correct them and try again.', details: { problems } },
    );
    this.problems = problems;
  }
}

/** Order of the files as given, then of the lines. */
export function inReadingOrder(
  problems: readonly DefinitionProblem[],
  files: readonly string[],
): DefinitionProblem[] {
  return problems.toSorted(
    (left, right) =>
      files.indexOf(left.file) - files.indexOf(right.file) ||
      left.line - right.line ||
      left.column - right.column,
  );
}
