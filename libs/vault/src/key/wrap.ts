import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE = 12;
const TAG = 16;

/** AES-256-GCM under a random nonce: nonce ‖ ciphertext ‖ tag. For keys only, of which there are few. */
export function wrapSecret(secret: Uint8Array, under: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', under, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** `undefined` when it was wrapped under another key or for another context, or has been changed. */
export function unwrapSecret(wrapped: Uint8Array, under: Uint8Array, context: string): Buffer | undefined {
  if (wrapped.length < NONCE + TAG) return undefined;
  const body = Buffer.from(wrapped);
  const decipher = createDecipheriv('aes-256-gcm', under, body.subarray(0, NONCE));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(body.subarray(body.length - TAG));
  const secret = decipher.update(body.subarray(NONCE, body.length - TAG));
  try {
    return Buffer.concat([secret, decipher.final()]);
  } catch {
    // The one failure `final` has: the tag does not fit. Which key fits is found by trying.
    return undefined;
  }
}
