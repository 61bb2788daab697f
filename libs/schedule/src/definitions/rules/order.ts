import type { DefinitionProblem } from '../problem.ts';
import { schedulesBefore } from './references.ts';
import { membersOf, type World } from './world.ts';

/** Schedules that wait for each other would wait for ever. */
export function orderRules(world: World): DefinitionProblem[] {
  const schedules = membersOf(world, 'Schedule');
  const before = (name: string) => schedulesBefore(schedules.get(name)?.spec).map((one) => one.name);
  return world.candidates.flatMap((candidate) => {
    if (candidate.kind !== 'Schedule') return [];
    const circle = circleThrough(candidate.name, before);
    const [first] = schedulesBefore(candidate.spec);
    if (!circle || !first) return [];
    return [
      candidate.place({
        code: 'definition.reference',
        path: ['spec', 'after'],
        at: 'value',
        found: `a circle: ${circle.join(' after ')}`,
        expected: 'schedules that do not wait for this one',
      }),
    ];
  });
}

function circleThrough(start: string, before: (name: string) => string[]): string[] | undefined {
  const seen = new Set<string>();
  const ways = [[start]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const next of before(way.at(-1) ?? start)) {
      if (next === start) return [...way, start];
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
