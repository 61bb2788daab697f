// Writes docs/schema/catena-v1.schema.json, by which editors complete definitions, from the schemas of libs/schedule.
import { writeFile } from 'node:fs/promises';
import { definitionJsonSchema } from '@catena/schedule';

const target = new URL('../../docs/schema/catena-v1.schema.json', import.meta.url);
await writeFile(target, `${JSON.stringify(definitionJsonSchema(), null, 2)}\n`);
