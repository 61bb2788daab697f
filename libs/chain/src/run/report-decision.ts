import type { AnyDomainEvent, ErrorDescription } from '@catena/events';
import type { Decision, RunState } from '@catena/run';
import type { CollectionState } from '../collection/collection-state.ts';
import type { RepositoryState } from '../repository-state.ts';

/** What the chain catalog has loaded to answer a mover's report. */
export interface ReportFacts {
  readonly run: RunState;
  /** The plan's collection; for a verify and a rescan all collections of the repository. */
  readonly collections: readonly CollectionState[];
  /** The plan's repository. */
  readonly repository: RepositoryState;
}

/** Appends to make in order, each one batch and true by itself; none when the report was accepted before. */
export type ReportDecision =
  | { readonly accepted: true; readonly appends: readonly (readonly AnyDomainEvent[])[] }
  | { readonly accepted: false; readonly refusal: ErrorDescription };

/** A batch of the log takes 1000 messages; a step has at most 3. */
const STEPS_PER_APPEND = 300;

/** The run's events and what comes with them in one append, or the run's refusal. */
export function together(run: Decision, others: readonly AnyDomainEvent[]): ReportDecision {
  if (!run.accepted) return run;
  return { accepted: true, appends: run.events.length === 0 ? [] : [[...run.events, ...others]] };
}

/** Many small truths, then the run's end: what was appended before a crash is known and not decided again. */
export function inSteps(
  steps: readonly (readonly AnyDomainEvent[])[],
  run: Decision,
  others: readonly AnyDomainEvent[] = [],
): ReportDecision {
  if (!run.accepted) return run;
  if (run.events.length === 0) return { accepted: true, appends: [] };
  const appends: AnyDomainEvent[][] = [];
  const tail = steps.length % STEPS_PER_APPEND;
  for (let from = 0; from + STEPS_PER_APPEND <= steps.length; from += STEPS_PER_APPEND) {
    appends.push(steps.slice(from, from + STEPS_PER_APPEND).flat());
  }
  const last = tail === 0 ? [] : steps.slice(-tail).flat();
  return {
    accepted: true,
    appends: [...appends.filter((one) => one.length > 0), [...last, ...run.events, ...others]],
  };
}
