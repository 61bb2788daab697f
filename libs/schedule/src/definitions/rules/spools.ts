import type { DefinitionProblem } from '../problem.ts';
import { membersOf, textAt, valueAt, type Member, type World } from './world.ts';

/** What takes log out of a folder that a server pushes it into. */
interface Taker {
  readonly schedule: Member;
  readonly source: Member;
  readonly spool: string;
  /** Source and repository. */
  readonly collection: string;
}

/**
 * A folder of pushed log has one collection that takes from it: what that one has recorded is removed, and would be missing
 * to another. Reported at whichever document of the files brings it about.
 */
export function spoolRules(world: World): DefinitionProblem[] {
  const bySpool = Map.groupBy(takersIn(world), ({ spool }) => spool);
  return [...bySpool].flatMap(([spool, takers]) => {
    const others = takers.filter(({ collection }) => collection !== takers[0]?.collection);
    if (others.length === 0) return [];
    const [found] = takers.toReversed().flatMap(placesOf);
    if (found === undefined) return [];
    const names = takers.map(({ schedule }) => `"${schedule.name}"`);
    return [
      found.candidate.place({
        code: 'definition.shared-spool',
        path: found.path,
        at: 'value',
        found: `that the schedules ${names.join(' and ')} take log from the folder ${spool} into different places`,
        expected: 'one source and one repository that take from it',
        remedy:
          'Keep one log cadence for it, or let the server push into two folders, with a Source for each.',
      }),
    ];
  });
}

function takersIn(world: World): Taker[] {
  const sources = membersOf(world, 'Source');
  return [...membersOf(world, 'Schedule').values()].flatMap((schedule) => {
    const source = sources.get(textAt(schedule.spec, 'source') ?? '');
    const repository = textAt(schedule.spec, 'repository');
    const spool = textAt(source?.spec, 'postgres', 'log', 'spool');
    if (source === undefined || spool === undefined || valueAt(schedule.spec, 'log') === undefined) return [];
    return [{ schedule, source, spool, collection: `${source.name} ${repository}` }];
  });
}

function placesOf({ schedule, source }: Taker) {
  const at: [Member, string[]][] = [
    [schedule, ['spec', 'log']],
    [source, ['spec', 'postgres', 'log', 'spool']],
  ];
  return at.flatMap(([{ candidate }, path]) => (candidate ? [{ candidate, path }] : []));
}
