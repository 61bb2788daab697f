import { CatenaError } from '@catena/events';

/** Nobody serves the subject now. */
export function noResponder(subject: string, cause?: unknown): CatenaError {
  return new CatenaError('messages.no-responder', `Nobody answers "${subject}".`, {
    remedy: 'Check that the service runs and is ready; then ask again.',
    retryable: true,
    details: { subject },
    cause,
  });
}

/** No answer came in time; whether the question was acted upon is not known. */
export function timedOut(subject: string, milliseconds: number, cause?: unknown): CatenaError {
  return new CatenaError('messages.timeout', `"${subject}" did not answer within ${milliseconds} ms.`, {
    remedy: 'Ask again; commands carry an id that makes a repetition harmless.',
    retryable: true,
    details: { subject, milliseconds },
    cause,
  });
}

/** A message that the server would not carry. */
export function tooLarge(subject: string, bytes: number, limit: number): CatenaError {
  return new CatenaError(
    'messages.too-large',
    `A message for "${subject}" has ${bytes} bytes, and the server takes ${limit}.`,
    { remedy: 'Ask for smaller pages.', details: { subject, bytes, limit } },
  );
}
