import { beforeEach, describe, expect, it } from '@jest/globals';
import { ZoneCalendar } from '../retention/zone-calendar.ts';
import { decideExpiry } from '../retention/decide-expiry.ts';
import { CatalogStory, finalFailure } from '../testing/catalog-story.ts';
import { differentialBaseOf, newestDataBackupOf } from './usable.ts';

const failureOf = (story: CatalogStory, run: string) => story.run(run).failure;

describe('a full that is composed (rules.md 3.1)', () => {
  let story: CatalogStory;
  beforeEach(() => {
    story = new CatalogStory();
  });

  function chain(): void {
    story.take('run-f', 'full');
    story.take('run-i1', 'incremental');
    story.take('run-i2', 'incremental');
  }

  it('is composed from the newest point, and has its position, time and family', () => {
    chain();
    story.askComposed('run-c');
    expect(story.composePlanOf('run-c')).toMatchObject({
      backup: 'bkp-c',
      from: 'bkp-i2',
      closure: ['bkp-f', 'bkp-i1', 'bkp-i2'],
      position: story.collection.backups.get('bkp-i2')!.position,
      family: 'family-1',
    });
    expect(story.complete('run-c')).toMatchObject({ accepted: true });
    expect(story.run('run-c')).toMatchObject({ phase: 'completed' });
    const [composed, shown] = ['bkp-c', 'bkp-i2'].map((id) => story.collection.backups.get(id)!);
    expect(composed).toMatchObject({ type: 'full', copyOnly: false, chain: 'bkp-c', closure: [] });
    for (const field of ['position', 'asOf', 'family'] as const) expect(composed![field]).toBe(shown![field]);
  });

  it('begins a chain: what comes after depends on it', () => {
    chain();
    story.askComposed('run-c');
    story.complete('run-c');
    expect(differentialBaseOf(story.collection)?.backup).toBe('bkp-c');
    expect(newestDataBackupOf(story.collection)?.backup).toBe('bkp-c');
    expect(story.take('run-i3', 'incremental')).toMatchObject({ parent: 'bkp-c', chain: 'bkp-c' });
    expect(story.take('run-d', 'differential')).toMatchObject({ base: 'bkp-c' });
    story.askComposed('run-c2');
    expect(story.composePlanOf('run-c2')).toMatchObject({ from: 'bkp-d', closure: ['bkp-c', 'bkp-d'] });
  });

  it('is refused by name when there is nothing to compose from', () => {
    story.askComposed('run-c');
    expect(failureOf(story, 'run-c')).toMatchObject({
      code: 'chain.nothing-to-compose',
      message: expect.stringContaining('no usable backup'),
    });
    story.take('run-f', 'full');
    story.askComposed('run-c2', 'full');
    expect(failureOf(story, 'run-c2')).toMatchObject({
      code: 'chain.nothing-to-compose',
      message: expect.stringContaining('bkp-f is a full already'),
    });
  });

  it('is read from the source the first time when the schedule asks for it, and the plan says so', () => {
    story.askComposed('run-c', 'full');
    expect(story.planOf('run-c')).toMatchObject({
      type: 'full',
      copyOnly: false,
      reason: expect.stringContaining('not composed: documents has no usable backup in vault'),
    });
    story.complete('run-c');
    expect(story.run('run-c').phase).toBe('completed');
    expect(differentialBaseOf(story.collection)?.backup).toBe('bkp-c');
  });

  it('never overlaps another data run of its collection', () => {
    chain();
    story.ask('run-i3', { type: 'incremental' });
    expect(story.askComposed('run-c')).toEqual({ kind: 'wait', for: 'run-i3' });
    story.complete('run-i3');
    story.plan('run-c');
    expect(story.composePlanOf('run-c').from).toBe('bkp-i3');
    expect(story.ask('run-i4', { type: 'incremental' })).toEqual({ kind: 'wait', for: 'run-c' });
    expect(story.ask('run-log', { type: 'full', copyOnly: true })).toMatchObject({ kind: 'append' });
    story.complete('run-c');
    story.plan('run-i4');
    expect(story.planOf('run-i4').parent).toBe('bkp-c');
  });

  it('holds what it is composed from while it runs; then the old chain may go', () => {
    chain();
    story.askComposed('run-c');
    for (const backup of ['bkp-f', 'bkp-i1', 'bkp-i2'])
      story.append({
        type: 'collection.backup-unusable',
        aggregateId: story.collection.collection,
        data: { backup, reason: 'expired' },
      });
    const facts = { policy: undefined, isManual: () => false, holdsOf: () => [] };
    const clock = { now: Date.parse(story.now()), calendar: new ZoneCalendar('UTC') };
    const condemned = () =>
      decideExpiry(story.collection, facts, clock).map(({ data }) => (data as { backup: string }).backup);
    expect(condemned()).toEqual([]);
    story.complete('run-c');
    expect(condemned()).toEqual(['bkp-f', 'bkp-i1', 'bkp-i2']);
  });

  it('fails for good when something it needs is damaged, and what is damaged is out of use', () => {
    chain();
    story.askComposed('run-c');
    story.claim('run-c');
    const problems = [{ object: 'pack-1', message: 'checksum', paths: ['a'] }];
    story.report('run-c', {
      kind: 'failed',
      failure: { ...finalFailure, retryable: true },
      damaged: [{ backup: 'bkp-i2', problems }],
    });
    expect(story.run('run-c')).toMatchObject({ phase: 'failed' });
    expect(story.collection.planned.size).toBe(0);
    expect(story.collection.unusable.get('bkp-i2')).toBe('damaged');
    story.askComposed('run-c2');
    expect(story.composePlanOf('run-c2').from).toBe('bkp-i1');
  });

  it('is not taken for another point than the one it was planned from', () => {
    chain();
    story.askComposed('run-c');
    story.claim('run-c');
    const outcome = story.completedOutcome('run-c');
    const manifest = { ...outcome.manifest!, position: '99' };
    story.report('run-c', { ...outcome, manifest });
    expect(failureOf(story, 'run-c')).toMatchObject({
      code: 'chain.manifest-contradicts-plan',
      message: expect.stringContaining('which is that of bkp-i2'),
    });
  });

  it('is never composed in a repository that is external', () => {
    chain();
    story.repository = { ...story.repository, spec: { access: 'external' } };
    story.askComposed('run-c');
    expect(failureOf(story, 'run-c')).toMatchObject({ code: 'chain.repository-external' });
  });
});
