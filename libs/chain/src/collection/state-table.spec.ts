import { describe, expect, it } from '@jest/globals';
import { CatalogStory, finalFailure } from '../testing/index.ts';
import { dropPlan, markUnusable } from './settle-plan.ts';
import { differentialBaseOf, newestDataBackupOf, standingOf } from './usable.ts';

function stateOf(story: CatalogStory): { base: string | undefined; newest: string | undefined } {
  return {
    base: differentialBaseOf(story.collection)?.backup,
    newest: newestDataBackupOf(story.collection)?.backup,
  };
}

function conventional(): CatalogStory {
  const story = new CatalogStory();
  story.take('run-full', 'full');
  story.take('run-inc', 'incremental');
  return story;
}

describe('the collection state, rules.md section 1', () => {
  it('full completed: base this, newest this', () => {
    const story = conventional();
    story.take('run-full2', 'full');
    expect(stateOf(story)).toEqual({ base: 'bkp-full2', newest: 'bkp-full2' });
  });

  it('copy-only full completed: base kept, newest kept', () => {
    const story = conventional();
    const plan = story.take('run-copy', 'full', true);
    expect(plan).toMatchObject({ type: 'full', copyOnly: true, chain: 'bkp-copy' });
    expect(stateOf(story)).toEqual({ base: 'bkp-full', newest: 'bkp-inc' });
  });

  it('copy-only full completed in an empty collection: none stays none', () => {
    const story = new CatalogStory();
    story.take('run-copy', 'full', true);
    expect(stateOf(story)).toEqual({ base: undefined, newest: undefined });
    expect(story.take('run-inc', 'incremental')).toMatchObject({ type: 'full', promotedFrom: 'incremental' });
  });

  it('differential or incremental completed: base kept, newest this', () => {
    const story = conventional();
    expect(stateOf(story)).toEqual({ base: 'bkp-full', newest: 'bkp-inc' });
    story.take('run-diff', 'differential');
    expect(stateOf(story)).toEqual({ base: 'bkp-full', newest: 'bkp-diff' });
  });

  it('an incremental that finishes after a newer full stays in its old chain', () => {
    const story = conventional();
    story.ask('run-late', { type: 'incremental' });
    const late = story.manifestOf('run-late');
    story.append(...dropPlan(story.collection, 'run-late', 'failed'));
    story.take('run-full2', 'full');
    story.append({
      type: 'collection.backup-completed',
      aggregateId: story.collection.collection,
      data: { ...late, asOf: story.now() },
    });
    expect(story.collection.backups.get('bkp-late')?.chain).toBe('bkp-full');
    expect(stateOf(story)).toEqual({ base: 'bkp-full2', newest: 'bkp-full2' });
  });

  it('a run failed: kept, kept', () => {
    const story = conventional();
    const before = stateOf(story);
    story.ask('run-bad', { type: 'full' });
    story.claim('run-bad');
    story.report('run-bad', { kind: 'failed', failure: finalFailure });
    expect(story.collection.planned.size).toBe(0);
    expect(stateOf(story)).toEqual(before);
  });

  it.each(['damaged', 'missing', 'expired', 'condemned'] as const)(
    'the base found %s: no base, newest the one that still is usable',
    (reason) => {
      const story = conventional();
      story.take('run-full2', 'full');
      story.append(...markUnusable(story.collection, 'bkp-full2', reason));
      expect(stateOf(story)).toEqual({ base: undefined, newest: 'bkp-inc' });
      expect(story.take('run-diff', 'differential')).toMatchObject({
        type: 'full',
        promotedFrom: 'differential',
        reason: expect.stringContaining('cannot be used'),
      });
    },
  );

  it('a parent found damaged: its dependents are unusable through it, the base is kept', () => {
    const story = conventional();
    story.take('run-inc2', 'incremental');
    story.append(...markUnusable(story.collection, 'bkp-inc', 'damaged'));
    expect(stateOf(story)).toEqual({ base: 'bkp-full', newest: 'bkp-full' });
    expect(standingOf(story.collection, 'bkp-inc2')).toEqual({
      usable: false,
      reason: 'damaged',
      through: 'bkp-inc',
    });
    expect(story.take('run-inc3', 'incremental')).toMatchObject({ parent: 'bkp-full' });
  });

  it('an expired parent is extended no more, but what depends on it stays usable', () => {
    const story = conventional();
    story.take('run-inc2', 'incremental');
    story.append(...markUnusable(story.collection, 'bkp-inc', 'expired'));
    expect(standingOf(story.collection, 'bkp-inc').usable).toBe(false);
    expect(standingOf(story.collection, 'bkp-inc2').usable).toBe(true);
    expect(stateOf(story)).toEqual({ base: 'bkp-full', newest: 'bkp-inc2' });
  });

  it('family changed: refused by name before anything is planned', () => {
    const story = conventional();
    story.family = 'family-2';
    const decision = story.ask('run-other', { type: 'incremental' });
    expect(decision).toMatchObject({
      kind: 'append',
      events: [{ type: 'run.refused', data: { failure: { code: 'chain.family-changed' } } }],
    });
    expect(stateOf(story)).toEqual({ base: 'bkp-full', newest: 'bkp-inc' });
  });

  it('family changed while it ran: the run fails by name and the chain stays', () => {
    const story = conventional();
    story.ask('run-other', { type: 'full' });
    story.family = 'family-2';
    story.complete('run-other');
    expect(story.run('run-other')).toMatchObject({
      phase: 'failed',
      failure: { code: 'chain.family-changed' },
    });
    expect(stateOf(story)).toEqual({ base: 'bkp-full', newest: 'bkp-inc' });
  });

  it('a mark is set once, and condemned is irrevocable', () => {
    const story = conventional();
    story.append(...markUnusable(story.collection, 'bkp-inc', 'condemned'));
    expect(markUnusable(story.collection, 'bkp-inc', 'damaged')).toEqual([]);
    expect(markUnusable(story.collection, 'bkp-inc', 'condemned')).toEqual([]);
    expect(markUnusable(story.collection, 'bkp-unheard', 'damaged')).toEqual([]);
  });
});
