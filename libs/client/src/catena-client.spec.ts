import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog, MemoryMessages } from '@catena/event-log';
import {
  CatenaError,
  catalogRequests,
  domainEvent,
  progressSubject,
  requestSubject,
  schedulerRequests,
  stamp,
  type AnyDomainEvent,
  type AnyRecordedEvent,
  type Failure,
  type ProgressMessage,
} from '@catena/events';
import { CatenaClient } from './catena-client.ts';

let log: MemoryEventLog;
let messages: MemoryMessages;
let client: CatenaClient;
let stopping: AbortController;

beforeEach(() => {
  log = new MemoryEventLog();
  messages = new MemoryMessages();
  stopping = new AbortController();
  client = new CatenaClient({ log, messages, close: () => messages.close() });
});
afterEach(async () => {
  stopping.abort();
  await client.close();
});

/** Appends behind what the run has already. */
async function happen(run: string, ...events: AnyDomainEvent[]): Promise<void> {
  const aggregate = { type: 'run', id: run } as const;
  const expected = await log.head(aggregate);
  const context = {
    time: '2026-03-01T12:00:00.000Z',
    actor: 'mover:mover-1',
    correlationId: run,
    causationId: `after ${expected.sequence}`,
  };
  await log.append([{ aggregate, expected, events: stamp(events, context) }]);
}

const requested = (run: string) =>
  domainEvent('run.requested', run, { request: { kind: 'rescan', repository: 'vault' } });
const claimed = (run: string) => domainEvent('run.claimed', run, { attempt: 1, mover: 'mover-1' });
const completed = (run: string, warningCount = 0) =>
  domainEvent('run.completed', run, {
    attempt: 1,
    mover: 'mover-1',
    outcome: warningCount === 0 ? 'completed' : 'completedWithWarnings',
    warnings: [],
    warningCount,
    statistics: { files: 1, bytes: 2, bytesRead: 3, bytesAdded: 4, milliseconds: 5 },
  });
const failure: Failure = { code: 'source.gone', message: 'It is gone.', retryable: false };

describe('asking', () => {
  const question = { commandId: 'command-1', actor: 'person:ada', repository: 'vault' };
  const serve = (answer: () => unknown) =>
    messages.serve(requestSubject(schedulerRequests.requestRescan), 'scheduler', async () => answer());

  it('answers what the service answered', async () => {
    await serve(() => ({ ok: true, result: { run: 'run-1', sequence: 7 } }));
    expect(await client.ask(schedulerRequests.requestRescan, question)).toEqual({
      run: 'run-1',
      sequence: 7,
    });
  });

  it('throws what the service refused with', async () => {
    const error = {
      code: 'definition.unknown',
      message: 'There is none.',
      remedy: 'Make one.',
      retryable: false,
    };
    await serve(() => ({ ok: false, error }));
    await expect(client.ask(schedulerRequests.requestRescan, question)).rejects.toMatchObject(error);
  });

  it('sends nothing that breaks the contract, and names what does', async () => {
    let asked = 0;
    await serve(() => (asked += 1));
    await expect(
      client.ask(schedulerRequests.requestRescan, { ...question, repository: 'My Vault' }),
    ).rejects.toMatchObject({
      code: 'client.question-not-understood',
      message: 'This cannot be asked: repository: expected lower-case letters, digits and "-", at most 63.',
    });
    await expect(client.ask(catalogRequests.listRuns, { limit: 0 })).rejects.toThrow(
      /^This cannot be asked: limit: Too/,
    );
    expect(asked).toBe(0);
  });

  it('says so when the answer is of another version', async () => {
    await serve(() => ({ ok: true, result: { job: 'run-1' } }));
    await expect(client.ask(schedulerRequests.requestRescan, question)).rejects.toMatchObject({
      code: 'client.answer-not-understood',
    });
  });

  it('says so when nobody is there', async () => {
    await expect(client.ask(schedulerRequests.requestRescan, question)).rejects.toMatchObject({
      code: 'messages.no-responder',
      retryable: true,
    });
  });
});

describe('following a run', () => {
  const follow = (run: string) => {
    const seen: AnyRecordedEvent[] = [];
    const outcome = client.followRun(run, { signal: stopping.signal, onEvent: (event) => seen.push(event) });
    return { outcome, types: () => seen.map(({ type }) => type) };
  };

  it('that is over answers at once, with its history', async () => {
    await happen('run-1', requested('run-1'), claimed('run-1'), completed('run-1'));
    const { outcome, types } = follow('run-1');
    expect((await outcome).state).toBe('completed');
    expect(types()).toEqual(['run.requested', 'run.claimed', 'run.completed']);
  });

  it('that goes on waits for its end, and hears of no other', async () => {
    await happen('run-1', requested('run-1'));
    const { outcome, types } = follow('run-1');
    await happen('run-2', requested('run-2'), claimed('run-2'), completed('run-2'));
    await happen('run-1', claimed('run-1'));
    await happen('run-1', completed('run-1', 3));
    expect((await outcome).state).toBe('completedWithWarnings');
    expect(types()).toEqual(['run.requested', 'run.claimed', 'run.completed']);
  });

  it.each([
    ['failed', domainEvent('run.failed', 'run-1', { attempt: 1, mover: 'mover-1', failure })],
    ['refused', domainEvent('run.refused', 'run-1', { failure })],
    ['cancelled', domainEvent('run.cancelled', 'run-1', { attempt: 1 })],
  ])('tells that it was %s', async (state, event) => {
    await happen('run-1', requested('run-1'), event);
    const outcome = await follow('run-1').outcome;
    expect(outcome.state).toBe(state);
    if ('failure' in outcome) expect(outcome.failure).toEqual(failure);
  });

  it('ends with an error when the person stops waiting; the run goes on', async () => {
    await happen('run-1', requested('run-1'));
    const { outcome } = follow('run-1');
    stopping.abort();
    await expect(outcome).rejects.toMatchObject({
      code: 'client.stopped-waiting',
      remedy: 'See how it ends with "catena runs run-1".',
    });
  });

  it('shows its progress, and nothing that is none', async () => {
    const heard: ProgressMessage[] = [];
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const progress: ProgressMessage = {
      ...{ run: 'run-1', attempt: 1, mover: 'mover-1', phase: 'reading', at: '2026-03-01T12:00:00.000Z' },
      ...{ files: 1, bytes: 2, bytesPerSecond: 3 },
    };
    await happen('run-1', requested('run-1'));
    const outcome = client.followRun('run-1', {
      signal: stopping.signal,
      onProgress: (message) => {
        heard.push(message);
        resolve(message);
      },
    });
    messages.notify(progressSubject('run-1'), { phase: 'dreaming' });
    messages.notify(progressSubject('run-2'), { ...progress, run: 'run-2' });
    messages.notify(progressSubject('run-1'), progress);
    await promise;
    await happen('run-1', completed('run-1'));
    await outcome;
    messages.notify(progressSubject('run-1'), progress);
    await messages.flush();
    expect(heard).toEqual([progress]);
  });
});

describe('subscribing', () => {
  /** Handles until so many were handled; answers their sequences. */
  async function handled(options: { name: string; from?: number }, count: number): Promise<number[]> {
    const sequences: number[] = [];
    const stop = new AbortController();
    await client.subscribe({ ...options, signal: stop.signal }, async ({ sequence }) => {
      sequences.push(sequence);
      if (sequences.length === count) stop.abort();
    });
    return sequences;
  }

  it('starts where it is told, and goes on where it stopped', async () => {
    await happen('run-1', requested('run-1'), claimed('run-1'), completed('run-1'));
    expect(await handled({ name: 'reports', from: 1 }, 2)).toEqual([1, 2]);
    expect(await handled({ name: 'reports', from: 1 }, 1)).toEqual([3]);
  });

  it('without a start hears what comes from now on', async () => {
    await happen('run-1', requested('run-1'));
    const hearing = handled({ name: 'late' }, 1);
    await messages.flush();
    await happen('run-1', claimed('run-1'));
    expect(await hearing).toEqual([2]);
  });

  it('gives an event again to a handler that failed, and puts it down after the last try', async () => {
    await happen('run-1', requested('run-1'));
    const { promise, resolve } = Promise.withResolvers<number>();
    let tries = 0;
    const subscription = client.subscribe(
      { name: 'clumsy', from: 1, backoff: [0, 0], signal: stopping.signal },
      async () => {
        tries += 1;
        if (tries === 3) resolve(tries);
        throw new CatenaError('mail.away', 'Nobody takes mail.');
      },
    );
    await promise;
    while ((await log.deadLetters.count()) === 0) await messages.flush();
    stopping.abort();
    await subscription;
    expect(await log.deadLetters.list()).toMatchObject([
      { consumer: 'clumsy', sequence: 1, error: { code: 'mail.away' } },
    ]);
  });
});
