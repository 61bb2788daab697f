import { readFile } from 'node:fs/promises';
import { CatenaError, eventTypes, isEventType, type EventType } from '@catena/events';
import type { SecretReference, SubscriptionSpec } from '@catena/schedule';

/**
 * The event types a subscription means. `run.failed` brings `run.refused` along: a backup that was refused has failed
 * too, and one that tells nobody is a defect. `run.*` means all of an aggregate.
 */
export function typesOf({ events }: SubscriptionSpec): EventType[] {
  const named = events.flatMap((name): readonly string[] =>
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
