import { hash } from 'node:crypto';
import { RECORDED_AT_HEADER, type StoredEvent } from './stored-event.ts';

/** 43 characters of base64url: a SHA-256. */
export const HASH_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/**
 * The hash of an event over the bytes as stored: subject, every header of the event as `name:value` sorted by name,
 * an empty line, the data; lines end with a line feed. The header with the hash of the event before is among them,
 * so a hash vouches for the whole history of the aggregate.
 */
export function eventHash(event: Pick<StoredEvent, 'subject' | 'headers' | 'data'>): string {
  const lines = event.headers
    .filter(([name]) => name !== RECORDED_AT_HEADER)
    .map(([name, value]) => `${name}:${value}\n`)
    .sort();
  const head = Buffer.from(`${event.subject}\n${lines.join('')}\n`);
  // In one call: every event that is read is hashed, and an object for each would cost more than the hashing.
  return hash('sha256', Buffer.concat([head, event.data]), 'base64url');
}
