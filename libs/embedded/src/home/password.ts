import { randomBytes } from 'node:crypto';

/** A password of 192 random bits in characters that need no quoting anywhere. */
export function generatePassword(): string {
  return randomBytes(24).toString('hex');
}
