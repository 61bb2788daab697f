import { expect, it } from '@jest/globals';
import { describeProblem, type ProblemCode } from '../definitions/problem.ts';
import type { KnownDefinition } from '../definitions/rules/world.ts';
import { docsAndVault, parseText } from './definition-texts.ts';

/** Rule, text, code, place (line and column), and what must be said. */
export type Refusal = [rule: string, text: string, code: ProblemCode, place: string, said: RegExp];

/** What is wrong with a text, as people read it; nothing when it is accepted. */
export function problemsOf(text: string, known: readonly KnownDefinition[] = []): string[] {
  const parsed = parseText(text, known);
  return parsed.ok ? [] : parsed.problems.map(describeProblem);
}

/** A test for each: it is refused for that one reason, which is named where it is. */
export function refuses(refusals: readonly Refusal[]): void {
  it.each(refusals)('rule %s', (_, text, code, place, said) => {
    const parsed = parseText(text, docsAndVault);
    if (parsed.ok) throw new Error('It was accepted.');
    const [problem] = parsed.problems;
    expect(parsed.problems.map(describeProblem)).toHaveLength(1);
    expect(describeProblem(problem!)).toMatch(said);
    expect([problem?.code, `${problem?.line}:${problem?.column}`]).toEqual([code, place]);
  });
}
