// Writes docs/events.md from the schemas of libs/events.
import { writeFile } from 'node:fs/promises';
import { eventsCatalogue } from '../../libs/events/src/documentation/events-catalogue.ts';

await writeFile(new URL('../../docs/events.md', import.meta.url), eventsCatalogue());
