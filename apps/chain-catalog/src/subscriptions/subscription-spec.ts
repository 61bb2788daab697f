import { readFile } from 'node:fs/promises';
import { CatenaError, eventTypes, isEventType, type EventType, type Specification } from '@catena/events';
import { z } from 'zod';

const secretReference = z.union([z.object({ env: z.string() }), z.object({ file: z.string() })]);
export type SecretReference = z.infer<typeof secretReference>;

const subscriptionSpec = z.object({
  events: z.array(z.string()).min(1),
  sources: z.array(z.string()).optional(),
  to: z.union([
    z.object({ webhook: z.object({ url: z.string(), secret: secretReference.optional() }) }),
    z.object({ command: z.array(z.string()).min(1) }),
  ]),
});
/** What the catalog reads of a Subscription that the scheduler has checked and stored. */
export type SubscriptionSpec = z.infer<typeof subscriptionSpec>;

export function readSubscription(spec: Specification): SubscriptionSpec {
  return subscriptionSpec.parse(spec);
}

/**
 * The event types a subscription means. `run.failed` brings `run.refused` along: a backup that was refused has failed
 * too, and one that tells nobody is a defect. `run.*` means all of an aggregate.
 */
export function typesOf({ events }: SubscriptionSpec): EventType[] {
  const named = events.flatMap((name) =>
    name.endsWith('.*') ? eventTypes.filter((type) => type.startsWith(name.slice(0, -1))) : [name],
  );
  const types = new Set(named.filter(isEventType));
  if (types.has('run.failed')) types.add('run.refused');
  return [...types].sort();
}

/** Reads a secret where it is kept, each time: a changed one works at once. */
export async function revealSecret(reference: SecretReference): Promise<string> {
  if ('env' in reference) {
    const value = process.env[reference.env];
    if (value) return value;
    throw secretMissing(`The environment variable ${reference.env} is not set`);
  }
  try {
    return (await readFile(reference.file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw secretMissing(
      `The file ${reference.file} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

function secretMissing(what: string): CatenaError {
  return new CatenaError('subscription.secret-missing', `${what}, so the delivery cannot be signed.`, {
    remedy: 'Give the chain catalog the secret that the Subscription names.',
    retryable: true,
  });
}
