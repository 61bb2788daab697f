import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { Ajv } from 'ajv';
import { definitionJsonSchema } from './definition-schema.ts';

const published = JSON.parse(
  readFileSync(new URL('../../../../docs/schema/catena-v1.schema.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

describe('the published JSON Schema', () => {
  it('is up to date; else: npm run docs', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(definitionJsonSchema())));
  });

  const isDefinition = new Ajv({ allErrors: true, strict: false }).compile(published);

  it.each(['source', 'repository', 'schedule', 'subscription'])('accepts the quickstart %s', (name) => {
    const file = new URL(`../../../../examples/quickstart/${name}.yaml`, import.meta.url);
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      expect([isDefinition(document.toJS()), isDefinition.errors]).toEqual([true, null]);
    }
  });

  it('refuses unknown fields and unknown kinds', () => {
    const source = {
      apiVersion: 'catena/v1',
      kind: 'Source',
      metadata: { name: 'a' },
      spec: { driver: 'files', files: { path: '/a' } },
    };
    expect(isDefinition(source)).toBe(true);
    expect(isDefinition({ ...source, kind: 'Sauce' })).toBe(false);
    expect(isDefinition({ ...source, extra: 1 })).toBe(false);
  });
});
