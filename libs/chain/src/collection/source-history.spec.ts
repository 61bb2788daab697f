import { describe, expect, it } from '@jest/globals';
import { markUnusable, acceptFamily, loseArchivePoint } from './settle-plan.ts';
import { CatalogStory, passingFailure } from '../testing/index.ts';
import { differentialBaseOf, newestDataBackupOf } from './usable.ts';

function withLog(): CatalogStory {
  const story = new CatalogStory();
  story.keepsLog = true;
  return story;
}

function stateOf(story: CatalogStory) {
  return {
    base: differentialBaseOf(story.collection)?.backup,
    newest: newestDataBackupOf(story.collection)?.backup,
    archive: story.collection.archivePoint?.position,
  };
}

function refusedWith(code: string) {
  return { kind: 'append', events: [{ type: 'run.refused', data: { failure: { code } } }] };
}

describe('the log archive point, rules.md section 1', () => {
  it('full completed: started if there was none, at a position reserved before reading; else kept', () => {
    const story = withLog();
    story.take('run-f1', 'full');
    expect(stateOf(story)).toMatchObject({ archive: '105' });
    story.take('run-f2', 'full');
    expect(stateOf(story)).toMatchObject({ archive: '105' });
  });

  it('copy-only full completed: none stays none', () => {
    const story = withLog();
    story.take('run-c', 'full', true);
    expect(stateOf(story)).toEqual({ base: undefined, newest: undefined, archive: undefined });
    expect(story.ask('run-l', { type: 'log' })).toMatchObject(refusedWith('chain.log-chain-not-started'));
  });

  it.each(['differential', 'incremental'] as const)('%s completed: starts it like a full', (type) => {
    const story = withLog();
    story.take('run-f', 'full');
    story.append(...loseArchivePoint(story.collection, 'slotLost'));
    expect(story.ask('run-l', { type: 'log' })).toMatchObject(refusedWith('chain.log-chain-not-started'));
    story.take('run-x', type);
    expect(stateOf(story)).toMatchObject({ newest: 'bkp-x', archive: '115' });
  });

  it('log completed: moves to its end, base and newest kept', () => {
    const story = withLog();
    story.take('run-f', 'full');
    const plan = story.take('run-l', 'log');
    expect(plan).toMatchObject({ type: 'log', start: '105' });
    expect(stateOf(story)).toEqual({ base: 'bkp-f', newest: 'bkp-f', archive: '120' });
    expect(story.take('run-l2', 'log')).toMatchObject({ start: '120' });
  });

  it('1.3 copy-only log: covers from the archive point and moves nothing; the next regular one starts where it would have', () => {
    const story = withLog();
    story.take('run-f', 'full');
    expect(story.take('run-cl', 'log', true)).toMatchObject({ copyOnly: true, start: '105' });
    expect(stateOf(story)).toMatchObject({ archive: '105' });
    expect(story.take('run-l', 'log')).toMatchObject({ start: '105' });
  });

  it('1.4 an ordinary full never breaks the log chain', () => {
    const story = withLog();
    story.take('run-f1', 'full');
    story.take('run-l1', 'log');
    story.take('run-f2', 'full');
    expect(story.take('run-l2', 'log')).toMatchObject({ start: '120' });
  });

  it('archive point lost: none, with a gap event; the run fails for good and the next data backup starts it again', () => {
    const story = withLog();
    story.take('run-f', 'full');
    story.ask('run-l', { type: 'log' });
    story.claim('run-l');
    story.report('run-l', { kind: 'failed', failure: passingFailure, historyLost: 'recycled' });
    expect(story.run('run-l').phase).toBe('failed');
    expect(story.events.at(-1)).toMatchObject({
      type: 'collection.archive-point-lost',
      data: { position: '105', reason: 'recycled', run: 'run-l' },
    });
    story.take('run-i', 'incremental');
    expect(stateOf(story)).toMatchObject({ archive: '115' });
    expect(loseArchivePoint(story.collection, 'slotLost')).toHaveLength(1);
  });

  it('a log that leaves a gap behind the archive point is never accepted', () => {
    const story = withLog();
    story.take('run-f', 'full');
    story.ask('run-l', { type: 'log' });
    story.claim('run-l');
    const outcome = story.completedOutcome('run-l');
    story.report('run-l', { ...outcome, manifest: { ...outcome.manifest!, start: '109' } });
    expect(story.run('run-l').failure?.code).toBe('chain.manifest-contradicts-plan');
    expect(stateOf(story)).toMatchObject({ archive: '105' });
  });

  it('3.6 logs and data may overlap, a log run and a log run do not', () => {
    const story = withLog();
    story.take('run-f', 'full');
    story.ask('run-i', { type: 'incremental' });
    expect(story.ask('run-l1', { type: 'log' })).toMatchObject({ kind: 'append' });
    expect(story.ask('run-l2', { type: 'log' })).toEqual({ kind: 'wait', for: 'run-l1' });
    expect(story.ask('run-cl', { type: 'log', copyOnly: true })).toMatchObject({ kind: 'append' });
  });
});

describe('branches of the source, rules.md section 1', () => {
  function branched(at: string): CatalogStory {
    const story = withLog();
    story.fork = { id: 'A' };
    story.take('run-f1', 'full'); // ends at 110
    story.take('run-l1', 'log'); // 105 to 120
    story.take('run-i1', 'incremental'); // ends at 130
    story.take('run-l2', 'log'); // 120 to 140
    story.fork = { id: 'B', parent: 'A', at };
    story.lsn = Number(at);
    story.take('run-l3', 'log');
    return story;
  }

  it('recovered short of its end: base and newest are kept if they are on the path of the new branch', () => {
    const story = branched('135');
    expect(story.collection.fork).toBe('B');
    expect(stateOf(story)).toMatchObject({ base: 'bkp-f1', newest: 'bkp-i1' });
  });

  it('what ended after the fork point is extended no more', () => {
    const story = branched('125');
    expect(stateOf(story)).toMatchObject({ base: 'bkp-f1', newest: 'bkp-f1' });
    expect(story.take('run-i2', 'incremental')).toMatchObject({ parent: 'bkp-f1' });
  });

  it('a base beyond the fork point is none: a full is taken instead', () => {
    const story = withLog();
    story.fork = { id: 'A' };
    story.take('run-f1', 'full');
    story.fork = { id: 'B', parent: 'A', at: '104' };
    story.take('run-c', 'full', true);
    expect(story.collection.fork).toBe('A');
    story.take('run-l', 'log');
    expect(stateOf(story)).toMatchObject({ base: undefined, newest: undefined });
    expect(story.take('run-d', 'differential')).toMatchObject({ promotedFrom: 'differential' });
  });

  it('the log goes on from the fork point on the new branch', () => {
    const story = withLog();
    story.fork = { id: 'A' };
    story.take('run-f1', 'full');
    story.take('run-l1', 'log'); // archive point 120
    story.fork = { id: 'B', parent: 'A', at: '115' };
    story.lsn = 115;
    story.take('run-f2', 'full');
    expect(story.collection.archivePoint).toEqual({ position: '115', fork: 'B' });
  });

  it('a branch whose log is taken when the source had left it already is not the one that the source is on', () => {
    const story = withLog();
    story.fork = { id: 'A' };
    story.take('run-f1', 'full'); // ends at 110
    story.take('run-l1', 'log'); // to 120
    // Promoted twice; a data backup is the first to tell.
    story.fork = { id: 'C', parent: 'B', at: '150' };
    story.lsn = 160;
    story.take('run-f2', 'full');
    expect(story.collection.archivePoint).toEqual({ position: '120', fork: 'C' });
    story.fork = { id: 'A' };
    story.lsn = 120;
    story.take('run-l2', 'log');
    story.fork = { id: 'B', parent: 'A', at: '130' };
    story.lsn = 140;
    story.take('run-l3', 'log');
    expect(story.collection).toMatchObject({ fork: 'C', archivePoint: { position: '150', fork: 'B' } });
    story.fork = { id: 'C', parent: 'B', at: '150' };
    story.take('run-l4', 'log');
    expect(story.collection).toMatchObject({ fork: 'C', archivePoint: { fork: 'C' } });
    expect(stateOf(story)).toMatchObject({ base: 'bkp-f2', newest: 'bkp-f2' });
  });

  it('the newer branch is the newer one, though its positions are lower', () => {
    const story = branched('125');
    story.lsn = 100;
    story.take('run-f2', 'full');
    expect(stateOf(story)).toMatchObject({ base: 'bkp-f2', newest: 'bkp-f2' });
  });
});

describe('families, rules.md section 1', () => {
  it('refused until a person says new chain; then nothing of the old one is extended', () => {
    const story = withLog();
    story.take('run-f1', 'full');
    story.family = 'family-2';
    expect(story.ask('run-i', { type: 'incremental' })).toMatchObject(refusedWith('chain.family-changed'));
    story.append(...acceptFamily(story.collection, 'family-2'));
    expect(acceptFamily(story.collection, 'family-2')).toEqual([]);
    expect(stateOf(story)).toEqual({ base: undefined, newest: undefined, archive: undefined });
    expect(story.take('run-i2', 'incremental')).toMatchObject({ type: 'full', promotedFrom: 'incremental' });
    expect(stateOf(story)).toMatchObject({ base: 'bkp-i2', newest: 'bkp-i2' });
  });
});

describe('joining a chain by hand, rules.md 1.9', () => {
  function twoChains(): CatalogStory {
    const story = new CatalogStory();
    story.take('run-aa', 'full');
    story.take('run-ab', 'incremental');
    story.take('run-ba', 'full');
    story.take('run-bb', 'incremental');
    story.take('run-ca', 'full', true);
    return story;
  }

  it('a differential to that full, an incremental to the newest of that chain', () => {
    const story = twoChains();
    story.ask('run-d', { type: 'differential', into: 'aa' });
    expect(story.planOf('run-d')).toMatchObject({ type: 'differential', base: 'bkp-aa', chain: 'bkp-aa' });
    story.complete('run-d');
    story.ask('run-i', { type: 'incremental', into: 'bkp-aa' });
    expect(story.planOf('run-i')).toMatchObject({ parent: 'bkp-d', chain: 'bkp-aa' });
    story.complete('run-i');
    story.ask('run-l', { type: 'incremental', into: 'latest' });
    expect(story.planOf('run-l')).toMatchObject({ parent: 'bkp-bb', chain: 'bkp-ba' });
  });

  it('what joined an old chain by hand does not become the newest', () => {
    const story = twoChains();
    story.ask('run-i', { type: 'incremental', into: 'aa' });
    story.complete('run-i');
    expect(story.take('run-n', 'incremental')).toMatchObject({ parent: 'bkp-bb' });
  });

  it.each([
    ['nothing of that name', 'zz'],
    ['several of that name', 'b'],
    ['a copy-only full', 'ca'],
    ['an incremental', 'ab'],
  ])('refuses %s', (_what, into) => {
    const story = twoChains();
    story.take('run-bz', 'full');
    expect(story.ask('run-d', { type: 'differential', into })).toMatchObject(
      refusedWith('chain.cannot-join'),
    );
  });

  it.each(['damaged', 'condemned'] as const)('refuses a %s full', (reason) => {
    const story = twoChains();
    story.append(...markUnusable(story.collection, 'bkp-aa', reason));
    expect(story.ask('run-d', { type: 'differential', into: 'aa' })).toMatchObject(
      refusedWith('chain.cannot-join'),
    );
  });

  it('refuses latest in an empty collection', () => {
    expect(new CatalogStory().ask('run-d', { type: 'incremental', into: 'latest' })).toMatchObject(
      refusedWith('chain.cannot-join'),
    );
  });
});

describe('the source lost its history since the parent, rules.md 1.7', () => {
  const lost = {
    kind: 'failed',
    failure: { ...passingFailure, retryable: false },
    historyLost: 'recycled',
  } as const;

  it('a full is taken instead under the same run, and the event says so', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.ask('run-i', { type: 'incremental' });
    story.claim('run-i');
    const decision = story.report('run-i', lost);
    expect(decision.accepted && decision.appends[0]?.map((event) => event.type)).toEqual([
      'run.attempt-failed',
      'run.replanned',
      'collection.plan-dropped',
      'collection.backup-planned',
    ]);
    expect(story.planOf('run-i')).toMatchObject({
      type: 'full',
      backup: 'bkp-i',
      promotedFrom: 'incremental',
      reason: expect.stringContaining('lost its history'),
    });
    expect(story.complete('run-i')).toMatchObject({ accepted: true });
    expect(stateOf(story)).toMatchObject({ base: 'bkp-i' });
  });

  it('whenHistoryLost fail: the run fails for good', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.ask('run-i', { type: 'differential', whenHistoryLost: 'fail' });
    story.claim('run-i');
    story.report('run-i', lost);
    expect(story.run('run-i').phase).toBe('failed');
    expect(story.collection.planned.size).toBe(0);
  });

  it('a report of it that is repeated changes nothing', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.ask('run-i', { type: 'incremental' });
    story.claim('run-i');
    const report = { run: 'run-i', attempt: 1, mover: 'mover-1', outcome: lost };
    story.reportAs(report);
    expect(story.reportAs(report)).toEqual({ accepted: true, appends: [] });
  });
});

describe('keys of copy-only backups, rules.md 1.1', () => {
  it.each([
    ['no key', {}, true],
    ['a passphrase', { encryption: { keys: [{ passphrase: {} }] } }, true],
    ['a service that keeps the key', { encryption: { keys: [{ kms: {} }] } }, false],
    ['both', { encryption: { keys: [{ kms: {} }, { passphrase: {} }] } }, true],
    ['a key file that must stay', { encryption: { keys: [{ file: 'x', portable: false }] } }, false],
    ['a service that gives its key', { encryption: { keys: [{ kms: {}, portable: true }] } }, true],
  ])('%s', (_what, spec, allowed) => {
    const story = new CatalogStory();
    story.repository = { ...story.repository, spec };
    const decision = story.ask('run-c', { type: 'full', copyOnly: true });
    if (allowed) expect(story.run('run-c').phase).toBe('planned');
    else expect(decision).toMatchObject(refusedWith('chain.key-not-portable'));
    story.ask('run-f', { type: 'full' });
    expect(story.run('run-f').phase).toBe('planned');
  });
});
