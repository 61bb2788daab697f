import { describe, expect, it } from '@jest/globals';
import { collectionIdOf, domainEvent, type AnyDomainEvent, type BackupType } from '@catena/events';
import { at } from '../testing/schedule-history.ts';
import { CollectionsSeen, type CollectionKnowledge } from './collection-knowledge.ts';

const collection = collectionIdOf('src-1', 'rep-1');
const ref = { source: 'docs', repository: 'vault', collection };
const snapshot = (name: string) => ({ uid: `${name}-1`, name, generation: 1, spec: {} });

function requested(run: string, type: BackupType, copyOnly = false): AnyDomainEvent {
  return domainEvent('run.requested', run, {
    request: { kind: 'backup', source: 'docs', repository: 'vault', type, copyOnly },
  });
}

function plannedAsFull(run: string): AnyDomainEvent {
  return domainEvent('run.planned', run, {
    plan: {
      kind: 'backup',
      collection,
      backup: `bkp-${run}`,
      type: 'full',
      copyOnly: false,
      chain: `bkp-${run}`,
      source: snapshot('docs'),
      repository: snapshot('vault'),
      promotedFrom: 'incremental',
    },
  });
}

function completed(backup: string, type: BackupType = 'full', copyOnly = false): AnyDomainEvent {
  return domainEvent('collection.backup-completed', collection, {
    run: 'r',
    backup,
    type,
    copyOnly,
    chain: backup,
    position: '1',
    family: 'f',
    asOf: '2025-01-01T00:00:00.000Z',
    closure: [],
  });
}

const over = (run: string) => domainEvent('run.cancelled', run, { attempt: 1 });
const done = (run: string) =>
  domainEvent('run.completed', run, {
    attempt: 1,
    mover: 'm',
    outcome: 'completed',
    warnings: [],
    warningCount: 0,
    statistics: { files: 0, bytes: 0, bytesRead: 0, bytesAdded: 0, milliseconds: 0 },
  });
const unusable = (backup: string) =>
  domainEvent('collection.backup-unusable', collection, { backup, reason: 'damaged' });

const rows: [string, AnyDomainEvent[], CollectionKnowledge][] = [
  ['nothing', [], { usableFull: false, firstFull: 'none' }],
  ['a full is asked for', [requested('a', 'full')], { usableFull: false, firstFull: 'pending' }],
  ['a copy-only full is asked for', [requested('a', 'full', true)], { usableFull: false, firstFull: 'none' }],
  ['an incremental is asked for', [requested('a', 'incremental')], { usableFull: false, firstFull: 'none' }],
  [
    'an incremental that is planned as a full',
    [requested('a', 'incremental'), plannedAsFull('a')],
    { usableFull: false, firstFull: 'pending' },
  ],
  [
    'a full that is asked for and planned, then cancelled',
    [requested('a', 'full'), plannedAsFull('a'), over('a')],
    { usableFull: false, firstFull: 'failed' },
  ],
  [
    'one failed, another is under way',
    [requested('a', 'full'), over('a'), requested('b', 'full')],
    { usableFull: false, firstFull: 'pending' },
  ],
  [
    'a full completed',
    [requested('a', 'full'), done('a'), completed('bkp-a')],
    { usableFull: true, firstFull: 'completed' },
  ],
  [
    'a copy-only full completed',
    [completed('bkp-a', 'full', true)],
    { usableFull: false, firstFull: 'none' },
  ],
  [
    'the only full is damaged',
    [completed('bkp-a'), unusable('bkp-a')],
    { usableFull: false, firstFull: 'completed' },
  ],
  [
    'one of two fulls is damaged',
    [completed('bkp-a'), completed('bkp-b'), unusable('bkp-b')],
    { usableFull: true, firstFull: 'completed' },
  ],
];

describe('what the scheduler knows of a collection', () => {
  it.each(rows)('rule 3.2: %s', (_, events, expected) => {
    const seen = new CollectionsSeen();
    for (const event of events) seen.observe(at('2025-01-01T00:00:00.000Z', event));
    expect(seen.of(ref)).toEqual(expected);
  });

  it('a source that was made again has a collection of its own', () => {
    const seen = new CollectionsSeen();
    seen.observe(at('2025-01-01T00:00:00.000Z', completed('bkp-a')));
    expect(seen.of({ ...ref, collection: collectionIdOf('src-2', 'rep-1') })).toEqual({
      usableFull: false,
      firstFull: 'none',
    });
  });
});
