import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { anchors } from '../testing/definition-texts.ts';
import { parseDefinitions, type Definition, type DefinitionFile } from './parse-definitions.ts';
import { describeProblem } from './problem.ts';

const root = new URL('../../../../', import.meta.url);

function problemsOf(files: readonly DefinitionFile[], known: readonly Definition[]): string[] {
  const parsed = parseDefinitions(files, known);
  return (parsed.ok ? parsed.warnings : parsed.problems).map(describeProblem);
}

describe('docs/definitions.md', () => {
  const page = readFileSync(new URL('docs/definitions.md', root), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => ({
    name: `docs/definitions.md:${page.slice(0, match.index).split('\n').length}`,
    text: match[1] ?? '',
    anchors,
  }));
  const known: Definition[] = [];

  it('has examples', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  it.each(blocks)('the example at $name is right, after those before it', (block) => {
    expect(problemsOf([block], known)).toEqual([]);
    const parsed = parseDefinitions([block], known);
    if (parsed.ok) known.push(...parsed.definitions);
  });

  it('names every field of the published schema', () => {
    const schema = readFileSync(new URL('docs/schema/catena-v1.schema.json', root), 'utf8');
    const names = new Set(
      [...schema.matchAll(/"properties": (\{)/g)].flatMap(({ index }) => keysOf(schema, index)),
    );
    expect([...names].filter((name) => !page.includes(`\`${name}`) && !page.includes(`${name}:`))).toEqual(
      [],
    );
  });
});

/** The keys of the `properties` object at an index of a pretty-printed JSON text. */
function keysOf(json: string, index: number): string[] {
  const indent = /[^\n]*$/.exec(json.slice(0, index))?.[0].match(/^ */)?.[0].length ?? 0;
  const end = json.indexOf(`\n${' '.repeat(indent)}}`, index);
  const key = new RegExp(`^ {${indent + 2}}"([^"]+)": \\{`, 'gm');
  return [...json.slice(index, end).matchAll(key)].map((match) => match[1] ?? '');
}

describe.each([
  ['quickstart', 4],
  ['disk-image', 3],
  ['postgres', 3],
])('examples/%s', (name, count) => {
  const folder = new URL(`examples/${name}/`, root);
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

  it('is right as a whole', () => {
    const texts = files.map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8'), anchors }));
    expect(texts.length).toBe(count);
    expect(problemsOf(texts, [])).toEqual([]);
  });
});
