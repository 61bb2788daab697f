import { describe, expect, it } from '@jest/globals';
import type { AnyDomainEvent, Failure, RunPlan, RunRequest } from '@catena/events';
import fc from 'fast-check';
import { requestCancel } from './cancel-run.ts';
import { claim, release } from './claim.ts';
import type { Decision } from './decision.ts';
import { attemptFailed, cancelled, completed } from './outcome.ts';
import { planRun, refuseRun, replanRun } from './plan-run.ts';
import { requestRun } from './request-run.ts';
import { DEFAULT_RETRY_POLICY, retryAt } from './retry-policy.ts';
import { evolveRun, initialRun, isOver, runFrom, type RunState } from './run-state.ts';

const RUN = 'run-1';
const NOW = '2026-03-01T12:00:00.000Z';
const snapshot = { uid: 'u', name: 'n', generation: 1, spec: {} };
const request: RunRequest = { kind: 'rescan', repository: 'vault' };
const plan: RunPlan = { kind: 'rescan', repository: snapshot };
const statistics = { files: 1, bytes: 2, bytesRead: 2, bytesAdded: 1, milliseconds: 3 };
const passing: Failure = { code: 'source.unreadable', message: 'no answer', retryable: true };
const final: Failure = { code: 'source.gone', message: 'the path is gone', retryable: false };
const requested = { type: 'run.requested', aggregateId: RUN, data: { request } } as const;
const planned = { type: 'run.planned', aggregateId: RUN, data: { plan } } as const;

function claimed(attempt: number, mover = 'm1'): AnyDomainEvent {
  return { type: 'run.claimed', aggregateId: RUN, data: { attempt, mover } };
}

function failedOnce(attempt: number, retry = NOW): AnyDomainEvent {
  return {
    type: 'run.attempt-failed',
    aggregateId: RUN,
    data: { attempt, mover: 'm1', failure: passing, retryAt: retry },
  };
}

function given(...events: AnyDomainEvent[]): RunState {
  return runFrom(RUN, events);
}

function eventsOf(decision: Decision): readonly AnyDomainEvent[] {
  if (!decision.accepted) throw new Error(decision.refusal.message);
  return decision.events;
}

function typesOf(decision: Decision): string[] {
  return eventsOf(decision).map((event) => event.type);
}

function codeOf(decision: Decision): string {
  return decision.accepted ? 'accepted' : decision.refusal.code;
}

function done(attempt: number, mover = 'm1', warningCount = 0) {
  return { attempt, mover, warnings: [], warningCount, statistics };
}

describe('asking for a run', () => {
  it('asks once for one id, however often it is repeated', () => {
    expect(eventsOf(requestRun(initialRun(RUN), { request }))).toEqual([requested]);
    expect(eventsOf(requestRun(given(requested), { request }))).toEqual([]);
  });

  it('plans once and refuses once', () => {
    expect(typesOf(planRun(given(requested), plan))).toEqual(['run.planned']);
    expect(typesOf(planRun(given(requested, planned), plan))).toEqual([]);
    expect(typesOf(refuseRun(given(requested), final))).toEqual(['run.refused']);
    expect(typesOf(refuseRun(given(requested, planned), final))).toEqual([]);
    expect(codeOf(planRun(given(), plan))).toBe('run.unknown');
  });
});

describe('planning again', () => {
  it('changes the plan between two attempts only', () => {
    const other: RunPlan = { kind: 'rescan', repository: { ...snapshot, generation: 2 } };
    const waiting = given(requested, planned, claimed(1), failedOnce(1));
    const events = eventsOf(replanRun(waiting, other, 'gone'));
    expect(given(requested, planned, claimed(1), failedOnce(1), ...events)).toMatchObject({
      phase: 'waitingForRetry',
      plan: other,
    });
    expect(codeOf(replanRun(given(requested, planned), other, 'gone'))).toBe('run.not-between-attempts');
  });
});

describe('claiming', () => {
  it('numbers attempts from the log', () => {
    expect(eventsOf(claim(given(requested, planned), 'm1', NOW))).toEqual([claimed(1)]);
    expect(eventsOf(claim(given(requested, planned, claimed(1)), 'm2', NOW))).toEqual([claimed(2, 'm2')]);
  });

  it('waits until the instant of the retry', () => {
    const waiting = given(requested, planned, claimed(1), failedOnce(1, '2026-03-01T12:00:10.000Z'));
    expect(codeOf(claim(waiting, 'm1', '2026-03-01T12:00:09.999Z'))).toBe('run.retry-not-due');
    expect(typesOf(claim(waiting, 'm1', '2026-03-01T12:00:10.000Z'))).toEqual(['run.claimed']);
  });

  it('takes nothing that has no plan or is over', () => {
    expect(codeOf(claim(given(requested), 'm1', NOW))).toBe('run.not-planned');
    const refused = given(requested, { type: 'run.refused', aggregateId: RUN, data: { failure: final } });
    expect(codeOf(claim(refused, 'm1', NOW))).toBe('run.over');
  });

  it('gives back only what is held', () => {
    const running = given(requested, planned, claimed(1));
    const given1 = eventsOf(release(running, { attempt: 1, mover: 'm1' }, 'shutdown'));
    expect(given1.map((event) => event.type)).toEqual(['run.released']);
    const back = given(requested, planned, claimed(1), ...given1);
    expect(back.phase).toBe('planned');
    expect(codeOf(release(back, { attempt: 1, mover: 'm1' }, 'shutdown'))).toBe('run.attempt-given-back');
    expect(codeOf(completed(back, done(1)))).toBe('run.attempt-given-back');
  });
});

describe('attempts are fenced', () => {
  const running = given(requested, planned, claimed(1), claimed(2, 'm2'));

  it('refuses the report of a superseded attempt by name', () => {
    expect(codeOf(completed(running, done(1)))).toBe('run.attempt-superseded');
    expect(codeOf(attemptFailed(running, { attempt: 1, mover: 'm1', failure: passing }, NOW))).toBe(
      'run.attempt-superseded',
    );
    expect(codeOf(cancelled(running, { attempt: 1, mover: 'm1' }))).toBe('run.attempt-superseded');
  });

  it('refuses an attempt nobody claimed, and another mover in the name of one', () => {
    expect(codeOf(completed(running, done(3, 'm2')))).toBe('run.attempt-unknown');
    expect(codeOf(completed(running, done(2, 'm1')))).toBe('run.attempt-of-another');
  });

  it('answers a repeated accepted report the same and appends nothing', () => {
    const over = given(
      requested,
      planned,
      claimed(1),
      claimed(2, 'm2'),
      ...eventsOf(completed(running, done(2, 'm2'))),
    );
    expect(over.phase).toBe('completed');
    expect(eventsOf(completed(over, done(2, 'm2')))).toEqual([]);
    expect(codeOf(attemptFailed(over, { attempt: 2, mover: 'm2', failure: passing }, NOW))).toBe(
      'run.attempt-settled',
    );
  });

  it('answers a repeated failure the same also after the next attempt has begun', () => {
    const next = given(requested, planned, claimed(1), failedOnce(1), claimed(2, 'm2'));
    expect(eventsOf(attemptFailed(next, { attempt: 1, mover: 'm1', failure: passing }, NOW))).toEqual([]);
  });
});

describe('outcomes', () => {
  const running = given(requested, planned, claimed(1));

  it('completes with warnings when there were any, and keeps at most 100 of them', () => {
    const warnings = Array.from({ length: 150 }, (_, i) => ({ code: 'w', message: String(i) }));
    const [event] = eventsOf(completed(running, { ...done(1, 'm1', 150), warnings }));
    expect(event).toMatchObject({ data: { outcome: 'completedWithWarnings', warningCount: 150 } });
    expect((event?.data as { warnings: unknown[] }).warnings).toHaveLength(100);
  });

  it('repeats a passing failure with growing delays up to the limit, then fails', () => {
    let state = given(requested, planned);
    const delays: (number | string)[] = [];
    while (!isOver(state)) {
      state = [
        ...eventsOf(claim(state, 'm1', '2027-01-01T00:00:00.000Z')),
        ...eventsOf(
          attemptFailed(
            evolveRun(state, claimed(state.attempt + 1)),
            { attempt: state.attempt + 1, mover: 'm1', failure: passing },
            NOW,
          ),
        ),
      ].reduce((before, event) => evolveRun(before, event), state);
      delays.push(state.retryAt ? Date.parse(state.retryAt) - Date.parse(NOW) : state.phase);
    }
    expect(delays).toEqual([10_000, 20_000, 40_000, 80_000, 'failed']);
  });

  it('does not repeat a final failure', () => {
    expect(typesOf(attemptFailed(running, { attempt: 1, mover: 'm1', failure: final }, NOW))).toEqual([
      'run.failed',
    ]);
  });

  it('caps the delay', () => {
    const policy = { ...DEFAULT_RETRY_POLICY, attempts: 100 };
    expect(retryAt(policy, passing, 60, NOW)).toBe('2026-03-01T12:15:00.000Z');
  });
});

describe('cancelling', () => {
  const asked: AnyDomainEvent = { type: 'run.cancel-requested', aggregateId: RUN, data: {} };

  it('cancels at once what nobody works on', () => {
    for (const state of [
      given(requested),
      given(requested, planned),
      given(requested, planned, claimed(1), failedOnce(1)),
    ]) {
      expect(typesOf(requestCancel(state))).toEqual(['run.cancel-requested', 'run.cancelled']);
    }
  });

  it('asks the mover of a running run, once', () => {
    expect(typesOf(requestCancel(given(requested, planned, claimed(1)), 'wrong folder'))).toEqual([
      'run.cancel-requested',
    ]);
    expect(typesOf(requestCancel(given(requested, planned, claimed(1), asked)))).toEqual([]);
  });

  it('cancels when the mover gave the run back instead of stopping it', () => {
    const back = given(requested, planned, claimed(1), asked, {
      type: 'run.released',
      aggregateId: RUN,
      data: { attempt: 1, mover: 'm1', reason: 'shutdown' },
    });
    expect(typesOf(requestCancel(back))).toEqual(['run.cancelled']);
  });

  it('turns a failure after the request into cancelled, and keeps what was completed', () => {
    const stopping = given(requested, planned, claimed(1), asked);
    expect(typesOf(cancelled(stopping, { attempt: 1, mover: 'm1' }))).toEqual(['run.cancelled']);
    expect(typesOf(attemptFailed(stopping, { attempt: 1, mover: 'm1', failure: passing }, NOW))).toEqual([
      'run.cancelled',
    ]);
    expect(typesOf(completed(stopping, done(1)))).toEqual(['run.completed']);
  });

  it('refuses a mover that stopped unasked, and a cancel of what is over', () => {
    expect(codeOf(cancelled(given(requested, planned, claimed(1)), { attempt: 1, mover: 'm1' }))).toBe(
      'run.cancel-not-requested',
    );
    const over = given(requested, { type: 'run.refused', aggregateId: RUN, data: { failure: final } });
    expect(codeOf(requestCancel(over))).toBe('run.over');
  });
});

describe('whatever movers and people do', () => {
  const mover = fc.constantFrom('m1', 'm2', 'm3');
  const attempt = fc.integer({ min: 1, max: 4 });
  const command = fc.oneof(
    mover.map((m) => (s: RunState) => claim(s, m, '2030-01-01T00:00:00.000Z')),
    fc.tuple(attempt, mover).map(
      ([a, m]) =>
        (s: RunState) =>
          completed(s, done(a, m)),
    ),
    fc.tuple(attempt, mover, fc.boolean()).map(
      ([a, m, r]) =>
        (s: RunState) =>
          attemptFailed(s, { attempt: a, mover: m, failure: r ? passing : final }, NOW),
    ),
    fc.tuple(attempt, mover).map(
      ([a, m]) =>
        (s: RunState) =>
          release(s, { attempt: a, mover: m }, 'x'),
    ),
    fc.tuple(attempt, mover).map(
      ([a, m]) =>
        (s: RunState) =>
          cancelled(s, { attempt: a, mover: m }),
    ),
    fc.constant((s: RunState) => requestCancel(s)),
    fc.constant((s: RunState) => planRun(s, plan)),
    fc.constant((s: RunState) => requestRun(s, { request })),
  );

  it('a run ends at most once, nothing follows its end, and a repeated report appends nothing', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        let state = given(requested);
        for (const decide of commands) {
          const before = state;
          const decision = decide(state);
          if (!decision.accepted) continue;
          state = decision.events.reduce((s, event) => evolveRun(s, event), state);
          if (isOver(before)) expect(decision.events).toEqual([]);
          if (state.phase === 'completed')
            expect(decide(state)).toMatchObject({ accepted: true, events: [] });
          expect(state.attempt).toBeGreaterThanOrEqual(before.attempt);
        }
      }),
    );
  });
});
