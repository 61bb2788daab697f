import { describe, expect, it } from '@jest/globals';
import { definitionId, type AnyDomainEvent } from '@catena/events';
import { parseDefinitions, type Definition } from '../definitions/parse-definitions.ts';
import type { KnownDefinition } from '../definitions/rules/world.ts';
import type { TimedEvent } from '../folding/timed-event.ts';
import { applyDefinition, DefinitionInUseError, deleteDefinition } from './decide-definition.ts';
import { evolveDefinition, type DefinitionState } from './definition-state.ts';

const source = `apiVersion: catena/v1
kind: Source
metadata: {name: docs, labels: {team: web, tier: a}}
spec:
  driver: files
  files: {path: /srv/docs, exclude: ['*.tmp', '*.bak']}
`;

function definition(text: string): Definition {
  const parsed = parseDefinitions([{ name: 'a.yaml', text }], []);
  if (!parsed.ok || !parsed.definitions[0]) throw new Error('The test is wrong.');
  return parsed.definitions[0];
}

function fold(events: readonly AnyDomainEvent[], before?: DefinitionState): DefinitionState | undefined {
  return events.reduce<DefinitionState | undefined>((state, { type, aggregateId, data }) => {
    const aggregate = { type: 'definition', id: aggregateId } as const;
    return evolveDefinition(state, { type, data, aggregate, time: '2025-01-01T00:00:00.000Z' } as TimedEvent);
  }, before);
}

const created = applyDefinition(undefined, definition(source), 'uid-1');
const state = fold(created.events);

describe('the history of a definition', () => {
  it('given nothing, when applied, then it is created', () => {
    expect(created).toMatchObject({ action: 'created', uid: 'uid-1' });
    expect(created.events).toEqual([
      {
        type: 'definition.applied',
        aggregateId: definitionId('Source', 'docs'),
        data: {
          kind: 'Source',
          name: 'docs',
          uid: 'uid-1',
          generation: 1,
          labels: { team: 'web', tier: 'a' },
          spec: { driver: 'files', files: { path: '/srv/docs', exclude: ['*.tmp', '*.bak'] } },
          origin: 'a.yaml',
        },
      },
    ]);
  });

  it('issue 6.5: a folder that takes it over is recorded once, and applying it by hand leaves it there', () => {
    const taken = applyDefinition(state, definition(source), 'uid-2', '/etc/catena');
    expect(taken).toMatchObject({ action: 'changed', uid: 'uid-1' });
    expect(taken.events[0]?.data).toMatchObject({ generation: 1, managedBy: '/etc/catena' });
    const managed = fold(taken.events, state);
    expect(applyDefinition(managed, definition(source), 'uid-3', '/etc/catena').action).toBe('unchanged');
    expect(applyDefinition(managed, definition(source), 'uid-3').action).toBe('unchanged');
  });

  const same: [string, string][] = [
    ['the same text', source],
    ['comments and blank lines', `# a comment\n\n${source.replace('spec:', '# why\nspec:')}`],
    [
      'another order of keys',
      `kind: Source
spec: {files: {exclude: ['*.tmp', '*.bak'], path: /srv/docs}, driver: files}
apiVersion: catena/v1
metadata: {labels: {tier: a, team: web}, name: docs}
`,
    ],
    ['a path spelt otherwise', source.replace('/srv/docs', '/srv//./docs/')],
  ];
  it.each(same)('rule 3.9: given it is applied, when %s is applied, then nothing happens', (_, text) => {
    const again = applyDefinition(state, { ...definition(text), origin: 'b.yaml' }, 'uid-2');
    expect(again).toEqual({ action: 'unchanged', uid: 'uid-1', events: [] });
  });

  it('given it is applied, when the spec changes, then it keeps its uid and its generation grows', () => {
    const changed = applyDefinition(state, definition(source.replace("'*.bak'", "'*.old'")), 'uid-2');
    expect(changed).toMatchObject({ action: 'changed', uid: 'uid-1' });
    expect(fold(changed.events, state)).toMatchObject({ uid: 'uid-1', generation: 2, deleted: false });
  });

  it('the order of a list matters', () => {
    const reordered = source.replace("'*.tmp', '*.bak'", "'*.bak', '*.tmp'");
    expect(applyDefinition(state, definition(reordered), 'uid-2').action).toBe('changed');
  });

  it('given it is applied, when only labels change, then its generation stays', () => {
    const changed = applyDefinition(state, definition(source.replace('tier: a', 'tier: b')), 'uid-2');
    expect(changed.action).toBe('changed');
    expect(fold(changed.events, state)).toMatchObject({ generation: 1, labels: { team: 'web', tier: 'b' } });
  });

  it('given it is deleted, when applied, then it is a new thing', () => {
    const deleted = fold(deleteDefinition(state, []), state);
    expect(deleted?.deleted).toBe(true);
    const again = applyDefinition(deleted, definition(source), 'uid-2');
    expect(again).toMatchObject({ action: 'created', uid: 'uid-2' });
    expect(fold(again.events, deleted)).toMatchObject({ uid: 'uid-2', generation: 1, deleted: false });
  });

  it('given nothing or deleted, when deleted, then nothing happens', () => {
    expect(deleteDefinition(undefined, [])).toEqual([]);
    expect(deleteDefinition(fold(deleteDefinition(state, []), state), [])).toEqual([]);
  });

  const users: KnownDefinition[] = [
    { kind: 'Schedule', name: 'nightly', spec: { source: 'docs', repository: 'vault' } },
    { kind: 'Subscription', name: 'tell', spec: { events: ['run.failed'], sources: ['docs'] } },
  ];
  it.each(users)('given a $kind names it, when deleted, then it is refused', (user) => {
    expect(() => deleteDefinition(state, [user])).toThrow(DefinitionInUseError);
    expect(() => deleteDefinition(state, [user])).toThrow(`${user.kind} "${user.name}" still names it`);
  });

  it('given others of the name but another kind are named, when deleted, then it goes', () => {
    const other: KnownDefinition = { kind: 'Schedule', name: 'n', spec: { source: 'x', repository: 'docs' } };
    expect(deleteDefinition(state, [other])).toHaveLength(1);
  });
});
