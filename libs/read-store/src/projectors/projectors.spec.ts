import { describe, expect, it } from '@jest/globals';
import { domainEvent, eventTypes, stamp, type AnyDomainEvent, type AnyRecordedEvent } from '@catena/events';
import type { Handler } from './projector.ts';
import { readModels } from './read-models.ts';

type Row = Record<string, unknown>;

/** The rows of a read model after events, by id. */
function rowsAfter(name: string, events: readonly AnyDomainEvent[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  const model = readModels.find((one) => one.name === name);
  for (const event of recorded(events)) {
    const handler = model?.projector.handlers[event.type] as Handler<Row, never> | undefined;
    const id = handler?.key(event as never);
    if (handler === undefined || id === undefined) continue;
    const next = handler.apply(rows.get(id), event as never);
    if (next === undefined) rows.delete(id);
    else rows.set(id, next);
  }
  return rows;
}

/** One a second. */
function recorded(events: readonly AnyDomainEvent[]): AnyRecordedEvent[] {
  return events.map((event, index) => {
    const time = `2026-01-01T00:00:${String(index).padStart(2, '0')}.000Z`;
    const [stamped] = stamp([event], {
      time,
      actor: 'person:ada',
      correlationId: 'c',
      causationId: `${index}`,
    });
    return {
      ...stamped,
      sequence: index + 1,
      recordedAt: time,
      previousHash: '',
      hash: '',
    } as AnyRecordedEvent;
  });
}

describe('the event catalogue', () => {
  it('has no type that nobody has thought about here', () => {
    const projected = new Set(readModels.flatMap(({ projector }) => Object.keys(projector.handlers)));
    expect(eventTypes.filter((type) => !projected.has(type)).sort()).toEqual([
      'collection.backups-in-use',
      'collection.forked',
      'limits.run-admitted',
      'repository.initialised',
      'schedule.delayed',
    ]);
  });
});

const run = 'run-a';
const failure = { code: 'a.b', message: 'm', retryable: true };
const statistics = { files: 1, bytes: 2, bytesRead: 2, bytesAdded: 1, milliseconds: 5 };
const completed = { attempt: 2, mover: 'm2', warnings: [], warningCount: 0, statistics };
const requested = domainEvent('run.requested', run, { request: { kind: 'rescan', repository: 'primary' } });
const claimed = (attempt: number) => domainEvent('run.claimed', run, { attempt, mover: `m${attempt}` });
const retry = domainEvent('run.attempt-failed', run, {
  ...{ attempt: 1, mover: 'm1', failure, retryAt: '2026-01-01T01:00:00.000Z' },
});
const planned = domainEvent('run.planned', run, {
  plan: { kind: 'rescan', repository: { uid: 'u', name: 'primary', generation: 1, spec: {} } },
});
const released = domainEvent('run.released', run, { attempt: 1, mover: 'm1', reason: 'r' });
const cancel = domainEvent('run.cancel-requested', run, {});

describe('the state of a run', () => {
  it.each<[string, AnyDomainEvent[], Row]>([
    ['requested', [requested], { state: 'requested', attempt: 0, requestedBy: 'person:ada' }],
    ['planned', [requested, planned], { state: 'planned', plannedAt: '2026-01-01T00:00:01.000Z' }],
    ['refused', [requested, domainEvent('run.refused', run, { failure })], { state: 'refused', failure }],
    ['running', [requested, planned, claimed(1)], { state: 'running', mover: 'm1', attempt: 1 }],
    ['given back', [requested, planned, claimed(1), released], { state: 'planned' }],
    [
      'waiting for a retry',
      [requested, planned, claimed(1), retry],
      { state: 'waitingForRetry', failure, retryAt: '2026-01-01T01:00:00.000Z' },
    ],
    [
      'running again: what failed before is not shown any more, and it started when it first did',
      [requested, planned, claimed(1), retry, claimed(2)],
      { state: 'running', failure: null, retryAt: null, attempt: 2, startedAt: '2026-01-01T00:00:02.000Z' },
    ],
    ['cancelling', [requested, planned, claimed(1), cancel], { state: 'cancelling' }],
    [
      'cancelling, whatever its mover does',
      [requested, planned, cancel, claimed(1), released],
      { state: 'cancelling' },
    ],
    [
      'cancelled',
      [requested, planned, cancel, domainEvent('run.cancelled', run, { attempt: 0 })],
      { state: 'cancelled', finishedAt: '2026-01-01T00:00:03.000Z' },
    ],
    [
      'completed, although somebody wanted it stopped',
      [
        requested,
        planned,
        claimed(2),
        cancel,
        domainEvent('run.completed', run, { ...completed, outcome: 'completed' }),
      ],
      { state: 'completed', statistics, failure: null, finishedAt: '2026-01-01T00:00:04.000Z' },
    ],
    [
      'over for good: a late wish changes nothing',
      [requested, planned, claimed(1), domainEvent('run.failed', run, { attempt: 1, failure }), cancel],
      { state: 'failed', failure },
    ],
  ])('%s', (_what, events, expected) => {
    expect(rowsAfter('run', events).get(run)).toMatchObject(expected);
  });

  it('cannot come from nothing, nor begin twice', () => {
    expect(() => rowsAfter('run', [planned])).toThrow('nothing before it began the run');
    expect(() => rowsAfter('run', [requested, requested])).toThrow('Event 2 (run.requested of run "run-a")');
  });
});

const place = { source: 'files', sourceUid: 's', repository: 'primary', repositoryUid: 'r' };

function made(how: 'backup.completed' | 'backup.found', backup: string, chain: string, position: string) {
  const at = `2026-01-0${position}T00:00:00.000Z`;
  return domainEvent(how, backup, {
    ...{
      run: `run-${backup}`,
      backup,
      type: backup === chain ? 'full' : 'incremental',
      copyOnly: false,
      chain,
    },
    ...{ ...place, collection: 'col', family: 'f', position, startedAt: at, asOf: at, finishedAt: at },
    ...{ manifest: { name: 'm', hash: 'h' }, closure: [], files: 1, bytes: 10, bytesAdded: 5 },
    ...{ keyIds: [], warningCount: 0 },
  });
}

function unusable(backup: string, reason: 'damaged' | 'missing' | 'expired' | 'condemned') {
  return domainEvent('collection.backup-unusable', 'col', { backup, reason });
}

describe('a backup', () => {
  const full = made('backup.completed', 'a', 'a', '1');

  it.each<[string, AnyDomainEvent[], Row]>([
    ['is usable when it was made', [full], { state: 'usable', found: false }],
    ['is damaged', [full, unusable('a', 'damaged')], { state: 'damaged' }],
    [
      'that is condemned stays so',
      [full, unusable('a', 'condemned'), unusable('a', 'missing')],
      { state: 'condemned' },
    ],
    [
      'that was missing is usable when it is found again',
      [full, unusable('a', 'missing'), made('backup.found', 'a', 'a', '1')],
      { state: 'usable', found: false },
    ],
    [
      'that was condemned is not revived by being found',
      [full, unusable('a', 'condemned'), made('backup.found', 'a', 'a', '1')],
      { state: 'condemned' },
    ],
    [
      'whose expiry was undone is usable',
      [full, unusable('a', 'expired'), domainEvent('collection.expiry-undone', 'col', { backup: 'a' })],
      { state: 'usable' },
    ],
    [
      'that was condemned is deleted at last',
      [
        full,
        unusable('a', 'condemned'),
        domainEvent('collection.backup-deleted', 'col', { backup: 'a', run }),
      ],
      { state: 'deleted' },
    ],
    ['is pinned', [full, domainEvent('collection.backup-pinned', 'col', { backup: 'a' })], { pinned: true }],
    ['found without a run says so', [made('backup.found', 'a', 'a', '1')], { state: 'usable', found: true }],
    [
      'keeps when it was verified',
      [
        full,
        domainEvent('backup.verified', 'a', {
          run,
          depth: 'checksums',
          at: '2026-02-01T00:00:00.000Z',
          bytes: 1,
        }),
      ],
      { state: 'usable', verifiedAt: '2026-02-01T00:00:00.000Z', verifiedDepth: 'checksums' },
    ],
  ])('%s', (_what, events, expected) => {
    expect(rowsAfter('backup', events).get('a')).toMatchObject(expected);
  });

  it('joins its chain once, in whatever order a rescan finds them', () => {
    const found = ['3', '1', '2'].map((position) => made('backup.found', `b${position}`, 'b1', position));
    const again = rowsAfter('chain', [...found, ...found]);
    expect([...again.values()]).toEqual([
      expect.objectContaining({
        chain: 'b1',
        startPosition: '1',
        oldestAsOf: '2026-01-01T00:00:00.000Z',
        newestAsOf: '2026-01-03T00:00:00.000Z',
      }),
    ]);
  });
});

describe('a schedule', () => {
  const applied = domainEvent('definition.applied', 'schedule-n', {
    ...{ kind: 'Schedule', name: 'n', uid: 'u', generation: 1, labels: {}, spec: {} },
  });
  const fired = (nominal: string) =>
    domainEvent('schedule.fired', 'u', {
      ...{ schedule: 'n', cadence: 'full', nominal, actual: nominal, run, reason: 'due' },
    });

  it('is there from its definition on, before it ever fired', () => {
    expect(rowsAfter('schedule', [applied]).get('u')).toMatchObject({
      name: 'n',
      paused: false,
      lastFired: {},
    });
  });

  it('stays paused when its definition changes', () => {
    const paused = domainEvent('schedule.paused', 'u', { schedule: 'n', reason: 'holidays' });
    expect(rowsAfter('schedule', [applied, paused, applied]).get('u')).toMatchObject({
      paused: true,
      pauseReason: 'holidays',
    });
  });

  it('keeps the newest nominal time, also when a missed one is caught up', () => {
    const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
    expect(rowsAfter('schedule', [applied, fired(late), fired(early)]).get('u')).toMatchObject({
      lastFired: { full: late },
    });
  });

  it('goes with its definition; a firing that was under way then changes nothing', () => {
    const deleted = domainEvent('definition.deleted', 'schedule-n', {
      kind: 'Schedule',
      name: 'n',
      uid: 'u',
    });
    expect(rowsAfter('schedule', [applied, deleted, fired('2026-01-01T00:00:00.000Z')]).size).toBe(0);
  });
});

describe('a generated key', () => {
  it('is to be stored until it was exported, the first time counts', () => {
    const key = { repository: 'primary', keyId: 'k' };
    const exported = domainEvent('repository.key-exported', 'r', key);
    const events = [domainEvent('repository.key-generated', 'r', { ...key, path: '/k' }), exported, exported];
    expect(rowsAfter('repository_key', events).get('r/k')).toMatchObject({
      generatedAt: '2026-01-01T00:00:00.000Z',
      exportedAt: '2026-01-01T00:00:01.000Z',
    });
    expect(rowsAfter('repository_key', [exported]).size).toBe(0);
  });
});
