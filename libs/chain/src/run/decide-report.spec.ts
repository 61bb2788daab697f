import { describe, expect, it } from '@jest/globals';
import type { MoverReport } from '@catena/events';
import { requestCancel } from '@catena/run';
import { differentialBaseOf } from '../collection/usable.ts';
import { CatalogStory, finalFailure, passingFailure, storyRepository } from '../testing/index.ts';
import { initialRepository } from '../repository-state.ts';
import { decideReport } from './decide-report.ts';
import type { ReportDecision } from './report-decision.ts';

const NOW = '2026-01-01T01:00:00.000Z';
const statistics = { files: 0, bytes: 0, bytesRead: 0, bytesAdded: 0, milliseconds: 1 };

function typesOf(decision: ReportDecision): string[][] {
  if (!decision.accepted) throw new Error(decision.refusal.message);
  return decision.appends.map((append) => append.map((event) => event.type));
}

function running(type: 'full' | 'incremental' = 'incremental'): CatalogStory {
  const story = new CatalogStory();
  story.take('run-f', 'full');
  story.ask('run-i', { type });
  story.claim('run-i');
  return story;
}

describe("a mover's report", () => {
  it('makes run, backup and collection true in one append', () => {
    expect(typesOf(running().complete('run-i'))).toEqual([
      ['run.completed', 'backup.completed', 'collection.backup-completed'],
    ]);
  });

  it('appends nothing when it is repeated, and is answered the same', () => {
    const story = running();
    const outcome = story.completedOutcome('run-i');
    expect(typesOf(story.report('run-i', outcome))).toHaveLength(1);
    expect(story.report('run-i', outcome)).toEqual({ accepted: true, appends: [] });
  });

  it('is refused by name when the attempt was superseded', () => {
    const story = running();
    const late: MoverReport = {
      run: 'run-i',
      attempt: 1,
      mover: 'mover-1',
      outcome: story.completedOutcome('run-i'),
    };
    story.claim('run-i', 'mover-2');
    expect(story.reportAs(late)).toMatchObject({
      accepted: false,
      refusal: { code: 'run.attempt-superseded' },
    });
    expect(story.complete('run-i')).toMatchObject({ accepted: true });
  });

  it('keeps the place in the collection while the run is tried again, and drops it with the run', () => {
    const story = running();
    expect(typesOf(story.report('run-i', { kind: 'failed', failure: passingFailure }))).toEqual([
      ['run.attempt-failed'],
    ]);
    expect(story.collection.planned.has('run-i')).toBe(true);
    story.claim('run-i');
    expect(typesOf(story.report('run-i', { kind: 'failed', failure: finalFailure }))).toEqual([
      ['run.failed', 'collection.plan-dropped'],
    ]);
    expect(story.collection.planned.size).toBe(0);
  });

  it('fails for good, at once, when the backup it was to extend is the damaged one', () => {
    const story = running();
    const problems = [{ object: 'pack-1', message: 'wrong hash', paths: ['a'] }];
    const outcome = {
      kind: 'failed',
      failure: passingFailure,
      damaged: [{ backup: 'bkp-f', problems }],
    } as const;
    expect(typesOf(story.report('run-i', { ...outcome, damaged: [...outcome.damaged] }))).toEqual([
      ['run.failed', 'collection.plan-dropped', 'backup.damaged', 'collection.backup-unusable'],
    ]);
    expect(differentialBaseOf(story.collection)).toBeUndefined();
  });

  it('fails the run when the manifest is not what was planned', () => {
    const story = running();
    const outcome = story.completedOutcome('run-i');
    const other = { ...outcome.manifest!, parent: 'bkp-other' };
    story.report('run-i', { ...outcome, manifest: other });
    expect(story.run('run-i')).toMatchObject({
      phase: 'failed',
      failure: { code: 'chain.manifest-contradicts-plan' },
    });
  });

  it('asks again when a completed backup comes without its manifest', () => {
    const story = running();
    story.report('run-i', { ...story.completedOutcome('run-i'), manifest: undefined });
    expect(story.run('run-i')).toMatchObject({ phase: 'waitingForRetry' });
  });

  it('records a new repository and its generated key once', () => {
    const story = running();
    const outcome = {
      ...story.completedOutcome('run-i'),
      initialised: { format: 1, encrypted: true },
      generatedKey: { keyId: 'k1', path: '/keys/k1' },
    };
    const { run, collection } = { run: story.run('run-i'), collection: story.collection };
    const report = { run: 'run-i', attempt: 1, mover: 'mover-1', outcome };
    const fresh = { run, collections: [collection], repository: initialRepository(storyRepository.uid) };
    expect(typesOf(decideReport(fresh, report, NOW))[0]).toEqual(
      expect.arrayContaining(['repository.initialised', 'repository.key-generated']),
    );
    const known = {
      ...fresh,
      repository: { repository: 'rep-1', initialised: true, keys: new Map([['k1', { exported: false }]]) },
    };
    expect(typesOf(decideReport(known, report, NOW))[0]).not.toContain('repository.initialised');
  });
});

describe('cancelling a planned backup', () => {
  it('drops its place when the mover reports that it stopped', () => {
    const story = running();
    const asked = requestCancel(story.run('run-i'));
    if (asked.accepted) story.append(...asked.events);
    expect(typesOf(story.report('run-i', { kind: 'cancelled' }))).toEqual([
      ['run.cancelled', 'collection.plan-dropped'],
    ]);
  });
});

describe('a verify', () => {
  function verified(rows: { backup: string; bad: boolean }[]): CatalogStory {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.take('run-i', 'incremental');
    story.askFor('run-v', { kind: 'verify', repository: 'vault', depth: 'checksums' });
    story.claim('run-v');
    story.report('run-v', {
      kind: 'completed',
      statistics,
      warnings: [],
      warningCount: 0,
      verified: rows.map(({ backup, bad }) => ({
        backup,
        bytes: 10,
        missing: false,
        problems: bad ? [{ object: 'pack-1', message: 'wrong hash', paths: [] }] : [],
      })),
    });
    return story;
  }

  it('records each backup with its depth', () => {
    const story = verified([
      { backup: 'bkp-f', bad: false },
      { backup: 'bkp-i', bad: false },
    ]);
    expect(story.events.filter((event) => event.type === 'backup.verified')).toHaveLength(2);
    expect(story.run('run-v').phase).toBe('completed');
  });

  it('takes what is damaged out of use, and says which', () => {
    const story = verified([
      { backup: 'bkp-f', bad: true },
      { backup: 'bkp-i', bad: false },
    ]);
    expect(story.collection.unusable.get('bkp-f')).toBe('damaged');
    expect(story.events.at(-1)).toMatchObject({ data: { detail: { checked: 2, damaged: ['bkp-f'] } } });
  });

  it('is split into batches that the log takes, the end of the run in the last', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    story.askFor('run-v', { kind: 'verify', repository: 'vault', depth: 'presence' });
    story.claim('run-v');
    const verifiedRows = Array.from({ length: 1000 }, () => ({
      backup: 'bkp-f',
      bytes: 1,
      missing: false,
      problems: [],
    }));
    const decision = story.report('run-v', {
      kind: 'completed',
      statistics,
      warnings: [],
      warningCount: 0,
      verified: verifiedRows,
    });
    expect(typesOf(decision).map((append) => append.length)).toEqual([300, 300, 300, 101]);
    expect(typesOf(decision).at(-1)?.at(-1)).toBe('run.completed');
  });
});
