import { describe, expect, it } from '@jest/globals';
import { checkEventData, type AnyRecordedEvent } from '@catena/events';
import { plausibleHistory } from './plausible-history.ts';

describe('a plausible history', () => {
  it('is the same for the same seed, and another for another', () => {
    expect([...plausibleHistory(1, 500)]).toEqual([...plausibleHistory(1, 500)]);
    expect([...plausibleHistory(1, 20)]).not.toEqual([...plausibleHistory(2, 20)]);
  });

  it('is as long as asked, and a longer one begins with a shorter one', () => {
    expect([...plausibleHistory(3, 4_000)].slice(0, 100)).toEqual([...plausibleHistory(3, 100)]);
  });

  it('numbers its events and links those of an aggregate', () => {
    const heads = new Map<string, AnyRecordedEvent>();
    let sequence = 0;
    for (const event of plausibleHistory(4, 2_000)) {
      expect(event.sequence).toBe(++sequence);
      const key = `${event.aggregate.type}.${event.aggregate.id}`;
      expect(event.previousHash).toBe(heads.get(key)?.hash ?? '');
      heads.set(key, event);
    }
  });

  it('keeps the schemas and tells of what happens to definitions, schedules, runs and chains', () => {
    const types = new Set<string>();
    for (const event of plausibleHistory(5, 6_000)) {
      checkEventData(event.type, event.data);
      types.add(event.type);
    }
    expect([...types].sort()).toEqual([
      'backup.completed',
      'backup.damaged',
      'backup.found',
      'backup.verified',
      'collection.backup-completed',
      'collection.backup-planned',
      'collection.backup-unusable',
      'collection.opened',
      'collection.plan-dropped',
      'definition.applied',
      'definition.deleted',
      'repository.initialised',
      'repository.key-exported',
      'repository.key-generated',
      'run.attempt-failed',
      'run.cancel-requested',
      'run.cancelled',
      'run.claimed',
      'run.completed',
      'run.failed',
      'run.planned',
      'run.refused',
      'run.released',
      'run.replanned',
      'run.requested',
      'schedule.fired',
      'schedule.paused',
      'schedule.resumed',
      'schedule.skipped',
    ]);
  });
});
