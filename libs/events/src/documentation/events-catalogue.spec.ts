import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { eventTypes } from '../catalogue/catalogue.ts';
import { fieldsOf } from './event-fields.ts';
import { eventsCatalogue } from './events-catalogue.ts';

const page = new URL('../../../../docs/events.md', import.meta.url);

describe('docs/events.md', () => {
  it('is what the schemas say; if not, run: npm run docs:events', async () => {
    expect(await readFile(page, 'utf8')).toBe(eventsCatalogue());
  });

  it('describes every event type', () => {
    const text = eventsCatalogue();
    for (const type of eventTypes) expect(text).toMatch(new RegExp(`### ${type}\n\nVersion \\d+\\. \\S`));
  });
});

describe('the fields of a payload', () => {
  it('are flattened, with lists, maps and shapes that a field tells apart', () => {
    const shape = z.object({
      list: z.array(z.object({ path: z.string().describe('Where.') })),
      map: z.record(z.string(), z.number().int()).optional(),
      request: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('one'), a: z.boolean() }),
        z.object({ kind: z.literal('two'), b: z.enum(['x', 'y']) }),
      ]),
    });
    expect(fieldsOf(shape).map(({ name, type, required }) => [name, type, required])).toEqual([
      ['list', 'list of object', true],
      ['list[].path', 'text', true],
      ['map', 'map to integer', false],
      ['request', 'one of the following', true],
      ['request(kind: one).a', 'boolean', true],
      ['request(kind: two).b', '`x`, `y`', true],
    ]);
  });
});
