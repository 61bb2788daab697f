import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { catalogRequests, describeError, type DefinitionView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { askCurrent } from '../ask-current.ts';
import { checkFolder } from './check-machine.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

function textAt(spec: Record<string, unknown>, group: string, field: string): string | undefined {
  const inner = spec[group];
  if (typeof inner !== 'object' || inner === null) return undefined;
  const value = (inner as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : undefined;
}

async function checkSource(definition: DefinitionView): Promise<Finding[]> {
  const path = textAt(definition.spec, 'files', 'path');
  if (path === undefined) return [];
  try {
    await access(path, constants.R_OK | constants.X_OK);
    return [ok(`source ${definition.name}`, `${path} can be read`)];
  } catch (error) {
    return [
      problem(
        `source ${definition.name}`,
        `${path} cannot be read: ${describeError(error).message}`,
        'Correct the path, or let the mover run as a user that may read it.',
      ),
    ];
  }
}

async function checkRepository(definition: DefinitionView): Promise<Finding[]> {
  const path = textAt(definition.spec, 'fs', 'path');
  const findings = path === undefined ? [] : [await checkFolder(`repository ${definition.name}`, path)];
  if (definition.spec['encryption'] === undefined) {
    findings.push(
      warning(
        `repository ${definition.name}`,
        'It is not encrypted.',
        'Whoever can read the folder can read the backups; give a new repository "encryption: {keys: […]}".',
      ),
    );
  }
  return findings;
}

/** Whether what the definitions name is there, as seen from this machine. */
export async function checkDefinitions(client: CatenaClient): Promise<Finding[]> {
  const definitions = (
    await askCurrent(client, catalogRequests.listDefinitions, { limit: 1000 })
  ).items.filter((item) => !item.deleted);
  const findings = await Promise.all(
    definitions.map((definition) =>
      definition.kind === 'Source'
        ? checkSource(definition)
        : definition.kind === 'Repository'
          ? checkRepository(definition)
          : Promise.resolve([]),
    ),
  );
  const scheduled = new Set(
    definitions.filter(({ kind }) => kind === 'Schedule').map(({ spec }) => spec['source']),
  );
  const unscheduled = definitions
    .filter(({ kind, name }) => kind === 'Source' && !scheduled.has(name))
    .map(({ name }) =>
      warning(
        `source ${name}`,
        'No schedule protects it.',
        'Apply a Schedule that names it, or back it up by hand.',
      ),
    );
  return [...findings.flat(), ...unscheduled];
}
