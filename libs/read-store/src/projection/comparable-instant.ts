import { CatenaError } from '@catena/events';

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

/**
 * An ISO 8601 instant of any precision and offset as UTC with nine decimals, so that text order is time order.
 * @throws CatenaError `read-store.not-an-instant`
 */
export function comparableInstant(instant: string): string {
  if (instant.length === 24 && instant.endsWith('Z') && instant.charCodeAt(19) === 46) {
    return `${instant.slice(0, 23)}000000Z`;
  }
  const [, minutes, seconds = ':00', fraction = '', offset] = INSTANT.exec(instant) ?? [];
  const milliseconds = Date.parse(`${minutes}${seconds}${offset}`);
  if (Number.isNaN(milliseconds)) {
    throw new CatenaError('read-store.not-an-instant', `"${instant}" is not an ISO 8601 instant.`, {
      remedy: 'Write it like 2026-01-31T12:00:00Z, with "Z" or an offset.',
    });
  }
  return `${new Date(milliseconds).toISOString().slice(0, 19)}.${fraction.slice(0, 9).padEnd(9, '0')}Z`;
}
