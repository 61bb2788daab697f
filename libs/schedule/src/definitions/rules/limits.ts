import { LIMITS_NAME } from '../kinds/limits.ts';
import type { DefinitionProblem } from '../problem.ts';
import { membersOf, valueAt, type Member, type World } from './world.ts';

/** There is one set of limits, and none of a part is above that of the whole: it could never be reached. */
export function limitRules(world: World): DefinitionProblem[] {
  return [...misnamed(world), ...neverReached(world)];
}

function misnamed({ candidates }: World): DefinitionProblem[] {
  return candidates.flatMap((candidate) =>
    candidate.kind !== 'Limits' || candidate.name === LIMITS_NAME
      ? []
      : [
          candidate.place({
            code: 'definition.limits',
            path: ['metadata', 'name'],
            at: 'value',
            found: `Limits named "${candidate.name}"`,
            expected: `"${LIMITS_NAME}"`,
            remedy: 'There is one set of limits; put what you want into that one.',
          }),
        ],
  );
}

function neverReached(world: World): DefinitionProblem[] {
  const limits = membersOf(world, 'Limits').get(LIMITS_NAME);
  const whole = numberAt(limits, 'runsAtOnce');
  if (limits === undefined || whole === undefined) return [];
  const pools = valueAt(limits.spec, 'pools');
  const own = [
    ['perSource'],
    ['perRepository'],
    ...Object.keys(typeof pools === 'object' && pools !== null ? pools : {}).map((pool) => ['pools', pool]),
  ];
  const parts: (readonly [Member, readonly string[]])[] = [
    ...own.map((path) => [limits, path] as const),
    ...(['Source', 'Repository'] as const).flatMap((kind) =>
      [...membersOf(world, kind).values()].map((member) => [member, ['runsAtOnce']] as const),
    ),
  ];
  return parts.flatMap(([member, path]) => {
    const part = numberAt(member, ...path);
    if (part === undefined || part <= whole) return [];
    // Reported at whichever document of the files brings it about.
    const [candidate, at] = member.candidate
      ? [member.candidate, ['spec', ...path]]
      : [limits.candidate, ['spec', 'runsAtOnce']];
    if (candidate === undefined) return [];
    const whose = member === limits ? '' : ` of the ${member.kind} "${member.name}"`;
    return [
      candidate.place({
        code: 'definition.limits',
        path: at,
        at: 'value',
        found: `${part} runs at once${whose} where the platform allows ${whole}`,
        expected: `at most ${whole}`,
        remedy: 'Raise `runsAtOnce` of the Limits, or lower this one: it could never be reached.',
      }),
    ];
  });
}

function numberAt(member: Member | undefined, ...path: readonly string[]): number | undefined {
  const value = valueAt(member?.spec, ...path);
  return typeof value === 'number' ? value : undefined;
}
