import { createHmac } from 'node:crypto';

/** The header that proves who sent a delivery and when. */
export const SIGNATURE_HEADER = 'catena-signature';

/**
 * `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 over the time, a dot and the body exactly as sent. A receiver
 * computes it again, compares in constant time, and refuses a time that is too old.
 */
export function signatureOf(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
