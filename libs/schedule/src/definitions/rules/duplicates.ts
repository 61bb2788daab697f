import type { DefinitionProblem } from '../problem.ts';
import type { Candidate, World } from './world.ts';

/** A kind and a name stand for one document. */
export function duplicateRules({ candidates }: World): DefinitionProblem[] {
  const first = new Map<string, Candidate>();
  return candidates.flatMap((candidate) => {
    const key = `${candidate.kind} ${candidate.name}`;
    const earlier = first.get(key);
    if (!earlier) {
      first.set(key, candidate);
      return [];
    }
    const path = ['metadata', 'name'];
    const there = earlier.place({ code: 'definition.duplicate', path, at: 'value', found: '', expected: '' });
    return [
      candidate.place({
        code: 'definition.duplicate',
        path,
        at: 'value',
        found: `a second ${candidate.kind} "${candidate.name}"`,
        expected: `a name of its own; the first is at ${there.file}:${there.line}:${there.column}`,
      }),
    ];
  });
}
