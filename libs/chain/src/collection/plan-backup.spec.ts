import { describe, expect, it } from '@jest/globals';
import { CatalogStory } from '../testing/index.ts';
import { COPY_ONLY_IGNORED } from './backup-shape.ts';

function refusedWith(code: string) {
  return { kind: 'append', events: [{ type: 'run.refused', data: { failure: { code } } }] };
}

describe('planning a backup, rules.md section 1', () => {
  it('opens the collection with the first plan, in the same append', () => {
    const story = new CatalogStory();
    const decision = story.ask('run-1', { type: 'full' });
    expect(decision.kind === 'append' && decision.events.map((event) => event.type)).toEqual([
      'run.planned',
      'collection.opened',
      'collection.backup-planned',
    ]);
    story.complete('run-1');
    const second = story.ask('run-2', { type: 'full' });
    expect(second.kind === 'append' && second.events.map((event) => event.type)).toEqual([
      'run.planned',
      'collection.backup-planned',
    ]);
  });

  it('binds an incremental to its parent and a differential to its base, by id', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    expect(story.take('run-i1', 'incremental')).toMatchObject({
      parent: 'bkp-f',
      base: 'bkp-f',
      chain: 'bkp-f',
    });
    expect(story.take('run-i2', 'incremental')).toMatchObject({ parent: 'bkp-i1', base: 'bkp-f' });
    const differential = story.take('run-d', 'differential');
    expect(differential).toMatchObject({ base: 'bkp-f', chain: 'bkp-f' });
    expect(differential.parent).toBeUndefined();
    expect(story.take('run-i3', 'incremental')).toMatchObject({ parent: 'bkp-d' });
  });

  it('1.2 copy-only with differential is a plain differential with a warning', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.ask('run-d', { type: 'differential', copyOnly: true });
    expect(story.planOf('run-d')).toMatchObject({
      type: 'differential',
      copyOnly: false,
      reason: COPY_ONLY_IGNORED,
    });
    story.complete('run-d');
    expect(
      story.events.find((event) => event.type === 'run.completed' && event.aggregateId === 'run-d'),
    ).toMatchObject({
      data: {
        outcome: 'completedWithWarnings',
        warnings: [{ code: 'chain.copy-only-ignored' }],
        warningCount: 1,
      },
    });
  });

  it('1.2 copy-only with incremental is refused, and names the copy-only full', () => {
    const story = new CatalogStory();
    const decision = story.ask('run-i', { type: 'incremental', copyOnly: true });
    expect(decision).toMatchObject(refusedWith('chain.copy-only-incremental'));
    expect(story.run('run-i').failure?.remedy).toContain('copy-only full');
  });

  it('1.5 a log backup of a source that keeps no log is refused before any I/O', () => {
    expect(new CatalogStory().ask('run-l', { type: 'log' })).toMatchObject(
      refusedWith('chain.source-keeps-no-log'),
    );
  });

  it.each(['incremental', 'differential'] as const)(
    '1.6 %s without a full: a full is taken, and says so',
    (type) => {
      const story = new CatalogStory();
      story.ask('run-1', { type });
      expect(story.planOf('run-1')).toMatchObject({
        type: 'full',
        promotedFrom: type,
        reason: expect.stringContaining('no full yet'),
      });
    },
  );

  it.each(['incremental', 'differential'] as const)(
    '1.6 %s without a full and whenNoFull fail: refused',
    (type) => {
      const decision = new CatalogStory().ask('run-1', { type, whenNoFull: 'fail' });
      expect(decision).toMatchObject(refusedWith('chain.no-full'));
    },
  );

  it('data runs of one collection never overlap: the second waits until the first is over', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.ask('run-a', { type: 'incremental' });
    expect(story.ask('run-b', { type: 'incremental' })).toEqual({ kind: 'wait', for: 'run-a' });
    expect(story.run('run-b').phase).toBe('requested');
    story.complete('run-a');
    expect(story.plan('run-b')).toMatchObject({ kind: 'append' });
    expect(story.planOf('run-b')).toMatchObject({ parent: 'bkp-a' });
  });

  it('copy-only runs beside anything and is never in the way', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.ask('run-a', { type: 'incremental' });
    expect(story.ask('run-c1', { type: 'full', copyOnly: true })).toMatchObject({ kind: 'append' });
    expect(story.ask('run-c2', { type: 'full', copyOnly: true })).toMatchObject({ kind: 'append' });
    story.complete('run-a');
    expect(story.ask('run-b', { type: 'incremental' })).toMatchObject({ kind: 'append' });
    expect(story.planOf('run-b')).toMatchObject({ parent: 'bkp-a' });
  });

  it('planning the same run again appends nothing', () => {
    const story = new CatalogStory();
    story.ask('run-f', { type: 'full' });
    expect(story.plan('run-f')).toEqual({ kind: 'nothing' });
  });
});
