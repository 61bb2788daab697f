import { DeliveryFailedError } from './delivery-failed-error.ts';
import type { CloudEvent } from './cloud-event.ts';
import { SIGNATURE_HEADER, signatureOf } from './signature.ts';

const PATIENCE_MILLISECONDS = 10_000;

export interface Webhook {
  readonly url: string;
  /** Signs each delivery; without one they are not signed. */
  readonly secret: string | undefined;
}

/** Posts the event as `application/cloudevents+json`; any status but 2xx is a failure, redirects are not followed. */
export async function deliverToWebhook(
  webhook: Webhook,
  event: CloudEvent,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const receiver = `The webhook ${hostOf(webhook.url)}`;
  const body = JSON.stringify(event);
  const seconds = Math.floor(now / 1_000);
  const response = await fetch(webhook.url, {
    method: 'POST',
    redirect: 'manual',
    body,
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'catena',
      ...(webhook.secret === undefined
        ? {}
        : { [SIGNATURE_HEADER]: signatureOf(webhook.secret, seconds, body) }),
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MILLISECONDS)]),
  }).catch((error: unknown) => {
    throw new DeliveryFailedError(
      receiver,
      reasonOf(error),
      'Check that the receiver runs and can be reached.',
      error,
    );
  });
  await response.body?.cancel();
  if (response.ok) return;
  throw new DeliveryFailedError(
    receiver,
    `it answered ${response.status}`,
    'Look into the receiver; it must answer 2xx when it has the event.',
  );
}

/** Paths of webhooks often carry a token, so only the host is shown. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'with an address that is not a URL';
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE_MILLISECONDS / 1_000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
