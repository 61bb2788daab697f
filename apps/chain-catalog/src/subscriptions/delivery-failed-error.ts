import { CatenaError } from '@catena/events';

/** A receiver did not take an event; it comes again, and in the end it is a dead letter. */
export class DeliveryFailedError extends CatenaError {
  constructor(receiver: string, why: string, remedy: string, cause?: unknown) {
    super('subscription.delivery-failed', `${receiver} did not take the event: ${why}.`, {
      remedy,
      retryable: true,
      cause,
    });
  }
}
