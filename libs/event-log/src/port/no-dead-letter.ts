import { CatenaError } from '@catena/events';
import type { DeadLetterKey } from './dead-letters.ts';

/** The error of a key that names no dead letter. */
export function noDeadLetter({ consumer, sequence }: DeadLetterKey): CatenaError {
  return new CatenaError(
    'event-log.no-dead-letter',
    `The subscriber "${consumer}" has no dead letter for event ${sequence}.`,
    { remedy: 'List the dead letters; it may have been delivered or discarded meanwhile.' },
  );
}
