import { CatenaError, type AnyRecordedEvent, type Failure } from '@catena/events';
import type { EventLog } from '@catena/event-log';

/** How a run ended. */
export type RunOutcome =
  | {
      state: 'completed' | 'completedWithWarnings';
      event: Extract<AnyRecordedEvent, { type: 'run.completed' }>;
    }
  | { state: 'failed' | 'refused'; failure: Failure; event: AnyRecordedEvent }
  | { state: 'cancelled'; event: AnyRecordedEvent };

/** What an event says about the end of its run; undefined while it goes on. */
export function outcomeOf(event: AnyRecordedEvent): RunOutcome | undefined {
  switch (event.type) {
    case 'run.completed':
      return { state: event.data.outcome, event };
    case 'run.failed':
      return { state: 'failed', failure: event.data.failure, event };
    case 'run.refused':
      return { state: 'refused', failure: event.data.failure, event };
    case 'run.cancelled':
      return { state: 'cancelled', event };
    default:
      return undefined;
  }
}

/**
 * Reads the run's history and waits for its end.
 * @throws CatenaError `client.stopped-waiting` when the signal aborts first; the run goes on.
 */
export async function followRun(
  log: EventLog,
  run: string,
  options: { signal: AbortSignal; onEvent?: (event: AnyRecordedEvent) => void },
): Promise<RunOutcome> {
  const history = log.read({ aggregate: { type: 'run', id: run } });
  let next = (await log.lastSequence()) + 1;
  for await (const event of history) {
    next = Math.max(next, event.sequence + 1);
    options.onEvent?.(event);
    const outcome = outcomeOf(event);
    if (outcome) return outcome;
  }
  for await (const batch of log.follow({ from: next, signal: options.signal })) {
    for (const event of batch.events) {
      if (event.aggregate.type !== 'run' || event.aggregate.id !== run) continue;
      options.onEvent?.(event);
      const outcome = outcomeOf(event);
      if (outcome) return outcome;
    }
  }
  throw new CatenaError('client.stopped-waiting', `Stopped waiting for ${run}; it goes on without us.`, {
    remedy: `See how it ends with "catena runs ${run}".`,
  });
}
