/** Refuses what cannot be restored whole, by name; with leave, makes the copy one that does without. */
import type { Skippable } from '@catena/events';
import { RestoreError } from '../../port/restore-error.ts';
import { missingAt, listNeeds, type Need } from './needs.ts';
import { nameOf, type Relation } from './relations.ts';
import { doWithoutRoles, listRoles, missingRoles, type RoleNeed, type RoleWishes } from './roles.ts';
import type { SqlSession } from './sql-session.ts';

const OPTIONS: Readonly<Record<Skippable, string>> = {
  foreignKeys: '--skip-missing-foreign-keys',
  sequences: '--skip-missing-sequences',
  functions: '--skip-missing-functions',
  views: '--skip-missing-views',
  roles: '--skip-missing-roles',
};

const NAMED = 20;

export interface MissingParts {
  readonly needs: readonly Need[];
  readonly roles: readonly RoleNeed[];
}

/** What the target lacks of what chosen relations need. */
export async function findMissing(
  copy: SqlSession,
  target: SqlSession,
  chosen: readonly Relation[],
  newSchemas: ReadonlySet<string>,
  wishes: RoleWishes,
): Promise<MissingParts> {
  const oids = chosen.map(({ oid }) => oid);
  const needs = await missingAt(target, await listNeeds(copy, oids), newSchemas);
  const roles = await missingRoles(target, await listRoles(copy, oids, wishes));
  return { needs, roles };
}

/** Throws `restore.partsMissing` with everything that is missing and may not be skipped. */
export function refuseMissing(
  { needs, roles }: MissingParts,
  skip: ReadonlySet<Skippable>,
  where: string,
): void {
  const kept = needs.filter((need) => need.skip === null || !skip.has(need.skip));
  const keptRoles = roles.filter(({ why }) => why === 'policy' || !skip.has('roles'));
  if (kept.length === 0 && keptRoles.length === 0) return;
  const lines = [
    ...kept.map(
      ({ what, by, extension }) =>
        `${what}${extension === null ? '' : ` (of the extension ${extension})`}, which ${by} needs`,
    ),
    ...keptRoles.map(({ role, why, of }) => `role ${role} (${why} of ${of})`),
  ];
  const more = lines.length > NAMED ? `; and ${lines.length - NAMED} more` : '';
  const options = new Set(kept.flatMap((need) => (need.skip === null ? [] : [OPTIONS[need.skip]])));
  const canSkipRoles = keptRoles.some(({ why }) => why !== 'policy');
  const remedies = [
    'Create them there',
    ...(options.size === 0 ? [] : [`restore without what needs them by ${[...options].join(', ')}`]),
    ...(canSkipRoles
      ? [`give things to who restores by ${OPTIONS.roles}, or --no-owner and --no-privileges`]
      : []),
  ];
  throw new RestoreError(
    'restore.partsMissing',
    `What is restored needs what ${where} does not have: ${lines.slice(0, NAMED).join('; ')}${more}.`,
    { remedy: `${remedies.join('; or ')}.`, details: { missing: lines } },
  );
}

/**
 * Takes off the copy what is skipped, so that its definitions are those of what is restored. Answers what was left out.
 * @param me the role that restores
 */
export async function leaveOut(
  copy: SqlSession,
  chosen: readonly Relation[],
  { needs, roles }: MissingParts,
  me: string,
): Promise<{ readonly chosen: Relation[]; readonly leftOut: string[] }> {
  const views = new Set(needs.map(({ view }) => view));
  const kept = chosen.filter(({ oid }) => !views.has(oid));
  const leftOut: string[] = [];
  for (const { what, by, undo } of needs) {
    if (undo !== null) await copy.run(undo);
    leftOut.push(`${by} (there is no ${what})`);
  }
  if (roles.length > 0) {
    await doWithoutRoles(copy, kept.map(nameOf), roles, me);
    leftOut.push(...roles.map(({ role, why, of }) => `${why} of ${of} (there is no role ${role})`));
  }
  return { chosen: kept, leftOut };
}
