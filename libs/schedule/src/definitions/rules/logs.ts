import { keepsLog } from '../kinds/source.ts';
import type { DefinitionProblem } from '../problem.ts';
import { membersOf, textAt, valueAt, type World } from './world.ts';

/** A log cadence for a source that keeps no log could never run (rule 1.5). */
export function logRules(world: World): DefinitionProblem[] {
  const sources = membersOf(world, 'Source');
  return [...membersOf(world, 'Schedule').values()].flatMap(({ spec, candidate }) => {
    const source = sources.get(textAt(spec, 'source') ?? '');
    const driver = textAt(source?.spec, 'driver');
    const path = logPath(spec);
    if (candidate === undefined || path === undefined || driver === undefined || keepsLog({ driver }))
      return [];
    return [
      candidate.place({
        code: 'definition.no-log',
        path,
        at: 'name',
        found: `a log cadence for "${source?.name}", whose driver is ${driver}`,
        expected: 'a source that keeps a log of its own',
        remedy: 'Use incremental backups for it.',
      }),
    ];
  });
}

/** Where a schedule asks for logs; undefined when it does not. */
function logPath(spec: unknown): string[] | undefined {
  if (valueAt(spec, 'log') !== undefined) return ['spec', 'log'];
  return textAt(spec, 'copyOnly', 'type') === 'log' ? ['spec', 'copyOnly', 'type'] : undefined;
}
