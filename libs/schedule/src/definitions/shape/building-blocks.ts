import { z } from 'zod';
import type { ProblemCode } from '../problem.ts';

/**
 * Schemas whose issues say what was expected. By convention the message of an issue is the text after "expected";
 * what else a problem needs travels in the params of a custom issue.
 */
export interface MismatchParams {
  readonly code?: ProblemCode;
  /** Replaces the description of the value. */
  readonly found?: string;
  readonly remedy?: string | undefined;
  /** Characters into a text value at which the fault lies. */
  readonly offset?: number;
}

/** Adds a custom issue in the form that `problemsOfIssues` understands. */
export function mismatch(context: z.RefinementCtx, expected: string, params: MismatchParams = {}): void {
  context.addIssue({ code: 'custom', message: expected, params: { ...params } });
}

/** A map with known fields and no others; the message lists the fields. */
export function fields<S extends z.ZodRawShape>(shape: S, expected?: string) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') return Object.keys(shape).join(', ');
      return expected ?? `a map with ${Object.keys(shape).join(', ')}`;
    },
  });
}

/** A map of which exactly one field is given. */
export function exactlyOneOf<S extends Record<string, z.ZodOptional>>(shape: S, expected: string) {
  return exactlyOne(fields(shape, expected), Object.keys(shape), expected);
}

/** The same, with fields of which any may be there. */
export function exactlyOneOfBeside<
  S extends Record<string, z.ZodOptional>,
  B extends Record<string, z.ZodOptional>,
>(shape: S, besides: B, expected: string) {
  return exactlyOne(fields({ ...shape, ...besides }, expected), Object.keys(shape), expected);
}

function exactlyOne<T extends z.ZodType>(schema: T, names: readonly string[], expected: string): T {
  return schema
    .superRefine((value, context) => {
      if (context.issues.length > 0) return;
      const map = value as Readonly<Record<string, unknown>>;
      const given = names.filter((name) => map[name] !== undefined);
      if (given.length === 1) return;
      mismatch(context, expected, { found: given.length === 0 ? 'none of them' : given.join(' and ') });
    })
    .meta({ oneOf: names.map((name) => ({ required: [name] })) });
}

/** A text that is not empty. */
export function text(expected = 'a text') {
  return z.string({ error: expected }).min(1, { error: expected });
}

/** A whole number within limits, both included. */
export function wholeNumber(min: number, expected: string) {
  return z.number({ error: expected }).int({ error: expected }).min(min, { error: expected });
}

export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values, { error: `one of ${values.join(', ')}` });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

export function listOf<T extends z.ZodType>(item: T, expected: string) {
  return z.array(item, { error: expected });
}
