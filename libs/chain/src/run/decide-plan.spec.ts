import { describe, expect, it } from '@jest/globals';
import type { RunRequest } from '@catena/events';
import { runFrom } from '@catena/run';
import { markUnusable } from '../collection/settle-plan.ts';
import { CatalogStory, storyRepository, storySource } from '../testing/index.ts';
import { decidePlan } from './decide-plan.ts';

function requested(request: RunRequest) {
  return runFrom('run-1', [{ type: 'run.requested', data: { request } }]);
}

const backup: RunRequest = {
  kind: 'backup',
  source: 'documents',
  repository: 'vault',
  type: 'full',
  copyOnly: false,
};

function refusedWith(code: string) {
  return { kind: 'append', events: [{ type: 'run.refused', data: { failure: { code } } }] };
}

function storyWithTwo(): CatalogStory {
  const story = new CatalogStory();
  story.take('run-aa1', 'full');
  story.take('run-aa2', 'incremental');
  return story;
}

function restoreOf(text: string): RunRequest {
  return { kind: 'restore', repository: 'vault', backup: text, target: '/t', include: [], overwrite: false };
}

describe('planning a run', () => {
  it('refuses what names a definition that is not there', () => {
    expect(decidePlan(requested(backup), { source: storySource, collections: [] })).toMatchObject(
      refusedWith('chain.definition-unknown'),
    );
    expect(decidePlan(requested(backup), { repository: storyRepository, collections: [] })).toMatchObject(
      refusedWith('chain.definition-unknown'),
    );
  });

  it('refuses a backup into an external repository', () => {
    const external = { ...storyRepository, spec: { access: 'external' } };
    expect(
      decidePlan(requested(backup), { source: storySource, repository: external, collections: [] }),
    ).toMatchObject(refusedWith('chain.repository-external'));
  });

  it('says nothing about a run that nobody asked for', () => {
    expect(decidePlan(runFrom('run-1', []), { collections: [] })).toEqual({ kind: 'nothing' });
  });

  it('plans a restore of the backup whose id begins as asked', () => {
    const story = storyWithTwo();
    story.askFor('run-r', restoreOf('aa2'));
    expect(story.run('run-r').plan).toMatchObject({ kind: 'restore', backup: 'bkp-aa2', target: '/t' });
  });

  it('plans a restore also when the source is defined no more', () => {
    const { collection } = storyWithTwo();
    const decision = decidePlan(requested(restoreOf('bkp-aa1')), {
      repository: storyRepository,
      collections: [collection],
    });
    expect(decision).toMatchObject({
      events: [
        { data: { plan: { source: { uid: 'src-1', name: 'documents', generation: 0 } } } },
        { type: 'collection.backups-in-use', data: { backups: ['bkp-aa1'] } },
      ],
    });
  });

  it('refuses an id that names none or several', () => {
    const story = storyWithTwo();
    expect(story.askFor('run-r1', restoreOf('zz'))).toMatchObject(refusedWith('chain.backup-unknown'));
    expect(story.askFor('run-r2', restoreOf('aa'))).toMatchObject(refusedWith('chain.backup-ambiguous'));
  });

  it('refuses to restore what needs a damaged backup, and names that one', () => {
    const story = storyWithTwo();
    story.append(...markUnusable(story.collection, 'bkp-aa1', 'damaged'));
    story.askFor('run-r', restoreOf('aa2'));
    expect(story.run('run-r').failure).toMatchObject({
      code: 'chain.backup-unusable',
      message: expect.stringContaining('bkp-aa1, which it needs, is damaged'),
    });
  });

  it('verifies all that was not condemned, or the one', () => {
    const story = storyWithTwo();
    story.append(...markUnusable(story.collection, 'bkp-aa2', 'condemned'));
    story.askFor('run-v1', { kind: 'verify', repository: 'vault', depth: 'checksums' });
    expect(story.run('run-v1').plan).toMatchObject({ backups: ['bkp-aa1'], depth: 'checksums' });
    story.askFor('run-v2', { kind: 'verify', repository: 'vault', backup: 'aa1', depth: 'presence' });
    expect(story.run('run-v2').plan).toMatchObject({ backups: ['bkp-aa1'] });
  });
});
