import { beforeEach, describe, expect, it } from '@jest/globals';
import { domainEvent, freshId, type AnyDomainEvent } from '@catena/events';
import { MemoryEventLog } from '@catena/event-log';
import { appendDecided } from '@catena/service';
import { RunStandings } from './run-standings.ts';

describe('how a run stands', () => {
  let now: number;
  let log: MemoryEventLog;
  beforeEach(() => {
    now = Date.parse('2026-11-02T10:00:00.000Z');
    log = new MemoryEventLog({ now: () => new Date(now) });
  });

  /** Whoever appends may have any clock: what counts is when the log's server stored it. */
  async function append(event: AnyDomainEvent, time = new Date(now).toISOString()): Promise<void> {
    const aggregate = { type: 'run', id: event.aggregateId } as const;
    const id = freshId();
    const context = { time, actor: 'mover:m1', correlationId: id, causationId: id };
    await appendDecided(log, [event], [{ aggregate, head: await log.head(aggregate) }], context);
  }
  const request = { kind: 'rescan', repository: 'vault' } as const;
  const standing = async (run: string, grace = 1_000) => {
    await append(domainEvent('run.claimed', 'run-sweep', { attempt: 1, mover: 'm1' }));
    return await (await RunStandings.asOf(log, 'run-sweep', grace)).of(run);
  };

  it('is told from its own events, by the clock of the log', async () => {
    expect(await standing('run-a')).toBe('unknown');
    await append(domainEvent('run.requested', 'run-a', { request }));
    expect(await standing('run-a')).toBe('open');
    await append(domainEvent('run.cancelled', 'run-a', { attempt: 0 }), '2020-01-01T00:00:00.000Z');
    expect(await standing('run-a')).toBe('recent');
    now += 999;
    expect(await standing('run-a')).toBe('recent');
    now += 1;
    expect(await standing('run-a')).toBe('over');
  });
});
