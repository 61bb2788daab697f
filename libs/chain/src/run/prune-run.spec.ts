import { describe, expect, it } from '@jest/globals';
import { domainEvent } from '@catena/events';
import { CatalogStory } from '../testing/index.ts';
import { condemnedOf, requestPrune } from './prune-run.ts';

/** Two chains, the older one condemned. */
function condemned(): CatalogStory {
  const story = new CatalogStory();
  story.take('run-f1', 'full');
  story.take('run-i1', 'incremental');
  story.take('run-f2', 'full');
  for (const reason of ['expired', 'condemned'] as const)
    for (const backup of ['bkp-f1', 'bkp-i1'])
      story.append(
        domainEvent('collection.backup-unusable', story.collection.collection, { backup, reason }),
      );
  return story;
}

const prune = (story: CatalogStory, collection = story.collection.collection) =>
  ({ kind: 'prune', repository: 'vault', collection }) as const;

function completed(deleted: { backup: string; bytes: number }[]) {
  const statistics = { files: 3, bytes: 0, bytesRead: 0, bytesAdded: 0, milliseconds: 1 };
  return { kind: 'completed' as const, statistics, warnings: [], warningCount: 0, deleted };
}

describe('a prune', () => {
  it('is asked for when something is condemned, and once', () => {
    const story = condemned();
    expect(requestPrune(new CatalogStory().collection, story.run('run-p'))).toEqual([]);
    const asked = requestPrune(story.collection, story.run('run-p'));
    expect(asked).toMatchObject([{ type: 'run.requested', data: { request: prune(story) } }]);
    story.append(...asked);
    expect(requestPrune(story.collection, story.run('run-p'))).toEqual([]);
  });

  it('is planned over everything that is condemned and not deleted, each with the run that made it', () => {
    const story = condemned();
    story.askFor('run-p', prune(story));
    expect(story.run('run-p').plan).toMatchObject({
      kind: 'prune',
      backups: [
        { backup: 'bkp-f1', run: 'run-f1' },
        { backup: 'bkp-i1', run: 'run-i1' },
      ],
    });
  });

  it('records what is gone with its bytes; what was left stays condemned and is asked for again', () => {
    const story = condemned();
    story.askFor('run-p', prune(story));
    story.claim('run-p');
    story.report('run-p', completed([{ backup: 'bkp-i1', bytes: 7 }]));
    expect(condemnedOf(story.collection)).toEqual(['bkp-f1']);
    expect(story.events.filter((event) => event.type === 'collection.backup-deleted')).toMatchObject([
      { data: { backup: 'bkp-i1', run: 'run-p', bytes: 7 } },
    ]);
    expect(story.events.at(-1)).toMatchObject({
      type: 'run.completed',
      data: { detail: { deleted: ['bkp-i1'], left: ['bkp-f1'], bytes: 7 } },
    });
    expect(requestPrune(story.collection, story.run('run-q'))).toHaveLength(1);
  });

  it('records nothing that it was not planned to delete', () => {
    const story = condemned();
    story.askFor('run-p', prune(story));
    story.claim('run-p');
    story.report('run-p', completed([{ backup: 'bkp-f2', bytes: 7 }]));
    expect(story.collection.deleted.size).toBe(0);
  });

  it('repeating its report changes nothing, and that of a superseded attempt is refused', () => {
    const story = condemned();
    story.askFor('run-p', prune(story));
    story.claim('run-p', 'mover-1');
    story.claim('run-p', 'mover-2');
    const late = { run: 'run-p', attempt: 1, mover: 'mover-1', outcome: completed([]) };
    expect(story.reportAs(late)).toMatchObject({ accepted: false });
    const outcome = completed([{ backup: 'bkp-f1', bytes: 1 }]);
    story.report('run-p', outcome);
    const length = story.events.length;
    story.reportAs({ run: 'run-p', attempt: 2, mover: 'mover-2', outcome });
    expect(story.events).toHaveLength(length);
  });

  it('of a collection that the repository does not have is refused', () => {
    const story = condemned();
    expect(story.askFor('run-p', prune(story, 'col-zz'))).toMatchObject({
      events: [{ type: 'run.refused', data: { failure: { code: 'chain.collection-unknown' } } }],
    });
  });

  it('damage of what is condemned is not recorded: it is being deleted', () => {
    const story = condemned();
    story.askFor('run-v', { kind: 'verify', repository: 'vault', backup: 'bkp-f1', depth: 'presence' });
    story.claim('run-v');
    story.report('run-v', {
      ...completed([]),
      verified: [{ backup: 'bkp-f1', bytes: 0, missing: true, problems: [] }],
    });
    expect(story.events.some((event) => event.type === 'backup.damaged')).toBe(false);
  });
});
