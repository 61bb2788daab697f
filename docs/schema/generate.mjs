/**
 * Writes the JSON Schema of definitions beside this file. From the root of the project:
 *
 *     npx node --conditions=@catena/source docs/schema/generate.mjs
 */
import { writeFileSync } from 'node:fs';
import { definitionJsonSchema } from '@catena/schedule';

const target = new URL('catena-v1.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(definitionJsonSchema(), null, 2)}\n`);
