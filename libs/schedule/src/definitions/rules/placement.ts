import type { DefinitionProblem } from '../problem.ts';
import { isWithin } from '../text/paths.ts';
import { membersOf, textAt, type Member, type World } from './world.ts';

/**
 * A repository inside its own source would back itself up (rules.md section 7). Reported at whichever document of the
 * files brings it about; symbolic links are the mover's to look through.
 */
export function placementRules(world: World): DefinitionProblem[] {
  const sources = membersOf(world, 'Source');
  const repositories = membersOf(world, 'Repository');
  const seen = new Set<string>();
  return [...membersOf(world, 'Schedule').values()].flatMap((schedule) => {
    const source = sources.get(textAt(schedule.spec, 'source') ?? '');
    const repository = repositories.get(textAt(schedule.spec, 'repository') ?? '');
    if (!source || !repository) return [];
    const pair = `${source.name} ${repository.name}`;
    if (seen.has(pair) || !isInside(repository, source)) return [];
    seen.add(pair);
    return problemOf(schedule, source, repository);
  });
}

function isInside(repository: Member, source: Member): boolean {
  const store = textAt(repository.spec, 'fs', 'path');
  const tree = textAt(source.spec, 'files', 'path');
  return store !== undefined && tree !== undefined && isWithin(store, tree);
}

function problemOf(schedule: Member, source: Member, repository: Member): DefinitionProblem[] {
  const at: [Member, string[]][] = [
    [repository, ['spec', 'fs', 'path']],
    [source, ['spec', 'files', 'path']],
    [schedule, ['spec', 'repository']],
  ];
  const [found] = at.flatMap(([{ candidate }, path]) => (candidate ? [{ candidate, path }] : []));
  if (!found) return [];
  const store = textAt(repository.spec, 'fs', 'path');
  return [
    found.candidate.place({
      code: 'definition.repository-inside-source',
      path: found.path,
      at: 'value',
      found: `the repository "${repository.name}" (${store}) inside its own source "${source.name}"`,
      expected: `a repository outside of ${textAt(source.spec, 'files', 'path')}`,
      remedy: 'Put the repository elsewhere, best on another disk.',
    }),
  ];
}
