import { describe, expect, it } from '@jest/globals';
import { CatalogStory } from '../testing/index.ts';
import type { ManifestReport } from '@catena/events';
import { adoptFound, settledPositionOf } from './adopt-found.ts';
import { evolveCollectionWith, initialCollection } from './collection-state.ts';
import { markUnusable } from './settle-plan.ts';
import { differentialBaseOf, newestDataBackupOf, standingOf } from './usable.ts';

const repository = { name: 'vault', uid: 'rep-1' };

function storyWithManifests(): { story: CatalogStory; manifests: ManifestReport[] } {
  const story = new CatalogStory();
  const manifests: ManifestReport[] = [];
  for (const [run, type, copyOnly] of [
    ['run-f', 'full', false],
    ['run-i1', 'incremental', false],
    ['run-c', 'full', true],
    ['run-i2', 'incremental', false],
    ['run-f2', 'full', false],
    ['run-d', 'differential', false],
  ] as const) {
    story.ask(run, { type, copyOnly });
    manifests.push(story.manifestOf(run));
    story.complete(run);
    manifests[manifests.length - 1] = {
      ...manifests.at(-1)!,
      asOf: story.collection.backups.get(`bkp-${run.slice(4)}`)!.asOf,
    };
  }
  return { story, manifests };
}

describe('a rescan', () => {
  it("rebuilds a collection's chains in time order into an empty log", () => {
    const { story, manifests } = storyWithManifests();
    const { steps, adopted } = adoptFound([], [...manifests].reverse(), repository, {});
    expect(adopted).toEqual(['bkp-f', 'bkp-i1', 'bkp-c', 'bkp-i2', 'bkp-f2', 'bkp-d']);
    expect(steps[0]?.map((event) => event.type)).toEqual([
      'collection.opened',
      'backup.found',
      'collection.backup-completed',
    ]);
    const { collection } = story.collection;
    const rebuilt = evolveCollectionWith(
      initialCollection(collection),
      steps.flat().filter((event) => event.aggregateId === collection),
    );
    expect(rebuilt).toEqual(story.collection);
    expect(differentialBaseOf(rebuilt)?.backup).toBe('bkp-f2');
    expect(newestDataBackupOf(rebuilt)?.backup).toBe('bkp-d');
  });

  it('says nothing new about what the log knows', () => {
    const { story, manifests } = storyWithManifests();
    expect(adoptFound([story.collection], manifests, repository, {})).toMatchObject({
      steps: [],
      adopted: [],
      lacking: [],
    });
  });

  it('revives nothing that was condemned', () => {
    const { story, manifests } = storyWithManifests();
    story.append(...markUnusable(story.collection, 'bkp-c', 'condemned'));
    expect(adoptFound([story.collection], manifests, repository, {})).toMatchObject({
      adopted: [],
      condemned: ['bkp-c'],
    });
  });

  it('names what the log knows and the repository lacks, and takes it back when it is found again', () => {
    const { story, manifests } = storyWithManifests();
    const { collection } = story.collection;
    const settled = { [collection]: settledPositionOf(story.collection) };
    const without = manifests.filter((one) => one.backup !== 'bkp-i1');
    const first = adoptFound([story.collection], without, repository, settled);
    expect(first.lacking).toEqual(['bkp-i1']);
    story.append(...first.steps.flat());
    expect(standingOf(story.collection, 'bkp-i2')).toMatchObject({ usable: false, reason: 'missing' });
    const second = adoptFound([story.collection], manifests, repository, settled);
    expect(second.adopted).toEqual(['bkp-i1']);
    story.append(...second.steps.flat());
    expect(standingOf(story.collection, 'bkp-i2').usable).toBe(true);
  });

  it('does not miss a backup that was made while it read', () => {
    const { story, manifests } = storyWithManifests();
    story.ask('run-now', { type: 'incremental' });
    const settled = { [story.collection.collection]: settledPositionOf(story.collection) };
    story.complete('run-now');
    story.take('run-later', 'incremental');
    expect(adoptFound([story.collection], manifests, repository, settled).lacking).toEqual([]);
  });

  it('leaves the manifest of a run that is still planned to the report of that run', () => {
    const { story, manifests } = storyWithManifests();
    story.ask('run-now', { type: 'incremental' });
    const found = [...manifests, story.manifestOf('run-now')];
    expect(adoptFound([story.collection], found, repository, {}).adopted).toEqual([]);
  });

  it('adopts an incremental whose parent is gone, and knows that it cannot be used', () => {
    const { manifests } = storyWithManifests();
    const { steps } = adoptFound(
      [],
      manifests.filter((one) => one.backup !== 'bkp-f'),
      repository,
      {},
    );
    const { collection } = manifests[0]!;
    const rebuilt = evolveCollectionWith(
      initialCollection(collection),
      steps.flat().filter((event) => event.aggregateId === collection),
    );
    expect(standingOf(rebuilt, 'bkp-i2')).toEqual({ usable: false, reason: 'unknown', through: 'bkp-f' });
    expect(standingOf(rebuilt, 'bkp-d').usable).toBe(true);
  });
});
