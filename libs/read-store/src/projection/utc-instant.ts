import { CatenaError } from '@catena/events';

/**
 * An ISO 8601 instant of any offset in UTC with milliseconds, as events carry it: text order is time order. Finer
 * digits are cut off.
 * @throws CatenaError `read-store.not-an-instant`
 */
export function utcInstant(instant: string): string {
  if (instant.length === 24 && instant.endsWith('Z')) return instant;
  const milliseconds = WITH_ZONE.test(instant) ? Date.parse(instant) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    throw new CatenaError('read-store.not-an-instant', `"${instant}" is not an ISO 8601 instant.`, {
      remedy: 'Write it like 2026-01-31T12:00:00Z, with "Z" or an offset.',
    });
  }
  return new Date(milliseconds).toISOString();
}

const WITH_ZONE = /(Z|[+-]\d\d:\d\d)$/;
