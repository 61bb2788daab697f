import { CatenaError, type DefinitionKind, type Specification } from '@catena/events';
import type { z } from 'zod';
import { specSchemas } from './definition-schema.ts';
import type { LimitsSpec } from './kinds/limits.ts';
import { repositoryWithDefaults, type RepositorySpec } from './kinds/repository.ts';
import { scheduleWithDefaults, type ScheduleSpec } from './kinds/schedule.ts';
import { sourceWithDefaults, type SourceSpec } from './kinds/source.ts';
import { subscriptionWithDefaults, type SubscriptionSpec } from './kinds/subscription.ts';

/** A stored spec that this build cannot read: an older or newer build accepted it. */
export class SpecNotUnderstoodError extends CatenaError {
  constructor(kind: DefinitionKind, error: z.ZodError) {
    super(
      'definition.spec-not-understood',
      `A stored ${kind} cannot be read: ${error.issues
        .map(({ path, message }) => `spec.${path.join('.')}: expected ${message}`)
        .join('; ')}.`,
      { remedy: 'Apply its definition again, or run the build that accepted it.' },
    );
  }
}

/** A Source's stored spec with its defaults. @throws SpecNotUnderstoodError */
export function readSourceSpec(spec: Specification): SourceSpec {
  return sourceWithDefaults(read('Source', spec));
}

/** A Repository's stored spec with its defaults. @throws SpecNotUnderstoodError */
export function readRepositorySpec(spec: Specification): RepositorySpec {
  return repositoryWithDefaults(read('Repository', spec));
}

/** A Schedule's stored spec with its defaults. @throws SpecNotUnderstoodError */
export function readScheduleSpec(spec: Specification): ScheduleSpec {
  return scheduleWithDefaults(read('Schedule', spec));
}

/** A spec that `readScheduleSpec` took before, without checking it again. */
export function scheduleSpecReadBefore(spec: Specification): ScheduleSpec {
  return scheduleWithDefaults(spec as z.infer<typeof specSchemas.Schedule>);
}

/** A Subscription's stored spec. @throws SpecNotUnderstoodError */
export function readSubscriptionSpec(spec: Specification): SubscriptionSpec {
  return subscriptionWithDefaults(read('Subscription', spec));
}

/** The stored spec of Limits. @throws SpecNotUnderstoodError */
export function readLimitsSpec(spec: Specification): LimitsSpec {
  return read('Limits', spec);
}

function read<K extends DefinitionKind>(kind: K, spec: Specification): z.infer<(typeof specSchemas)[K]> {
  const parsed = specSchemas[kind].safeParse(spec);
  if (!parsed.success) throw new SpecNotUnderstoodError(kind, parsed.error);
  return parsed.data as z.infer<(typeof specSchemas)[K]>;
}
