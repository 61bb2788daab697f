import { describe, expect, it } from '@jest/globals';
import { CatalogStory } from '../testing/index.ts';
import { collectionSnapshot } from './collection-snapshot.ts';
import { evolveCollection, initialCollection, type CollectionState } from './collection-state.ts';

function throughText(state: CollectionState): CollectionState {
  return collectionSnapshot.fromJson(JSON.parse(JSON.stringify(collectionSnapshot.toJson(state))));
}

describe('the snapshot of a collection', () => {
  it('gives back every state that a history goes through', () => {
    const story = new CatalogStory();
    story.keepsLog = true;
    story.fork = { id: 'fork-1' };
    story.take('run-full', 'full');
    story.take('run-inc', 'incremental');
    story.take('run-copy', 'full', true);
    story.ask('run-open', { type: 'incremental' });
    const { collection } = story.collection;
    const aggregateId = collection;
    story.append(
      { type: 'collection.backup-pinned', aggregateId, data: { backup: 'bkp-full' } },
      { type: 'collection.backup-deleted', aggregateId, data: { backup: 'bkp-copy', run: 'run-prune' } },
      {
        type: 'collection.backup-unusable',
        aggregateId,
        data: { backup: 'bkp-inc', reason: 'expired' },
      },
    );
    const final = story.events.reduce((state, event) => {
      const next = evolveCollection(state, event);
      expect(throughText(next)).toEqual(next);
      return next;
    }, initialCollection(collection));
    expect(final.planned.size + final.backups.size + final.pinned.size + final.deleted.size).toBe(6);
    expect([...throughText(final).expired]).toEqual([['bkp-inc', undefined]]);
    expect([...throughText(final).forks.keys()]).toEqual(['fork-1']);
  });

  it('of version 2 has these fields; with others, and with another fold, it is of another version', () => {
    const { place, fork, archivePoint, acceptedFamily, ...always } = initialCollection('col-1');
    expect([place, fork, archivePoint, acceptedFamily]).toEqual([undefined, undefined, undefined, undefined]);
    expect([collectionSnapshot.version, ...Object.keys(always).sort()]).toEqual([
      2,
      'backups',
      'collection',
      'deleted',
      'expired',
      'forks',
      'lastPosition',
      'pinned',
      'planned',
      'unusable',
    ]);
  });
});
