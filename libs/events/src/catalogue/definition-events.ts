import { z } from 'zod';
import { count, definitionKind, definitionName, specification } from './vocabulary.ts';

/** Aggregate `definition`, id `<kind>-<name>`: one YAML document and its versions. Appended by the scheduler. */
export const definitionEvents = {
  'definition.applied': z
    .object({
      kind: definitionKind,
      name: definitionName,
      uid: z.string().describe('Made anew when a deleted definition is applied again.'),
      generation: count.describe('1 for the first; grows with every change of the spec.'),
      labels: z.record(z.string(), z.string()),
      spec: specification,
      origin: z.string().optional().describe('The file it came from, as the person named it.'),
      managedBy: z
        .string()
        .optional()
        .describe('The folder that decides upon it: when it is gone from there, it is deleted.'),
    })
    .describe('A definition was created or changed. Applying the same document again appends nothing.'),
  'definition.deleted': z
    .object({ kind: definitionKind, name: definitionName, uid: z.string() })
    .describe('A definition was deleted by a person. Backups are never touched by it.'),
} as const;
