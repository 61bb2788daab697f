import { CatenaError } from '@catena/events';
import { nearestName } from '../nearest-name.ts';

/** A time zone that the zone data of this build does not have. */
export class TimeZoneUnknownError extends CatenaError {
  constructor(name: string) {
    super('schedule.time-zone-unknown', `There is no time zone "${name}".`, {
      remedy: timeZoneRemedy(name),
      details: { timeZone: name },
    });
  }
}

/** Asking the zone data takes as long as all the rest of reading a schedule. There are some hundred names. */
const zones = new Set<string>();

/** Whether the zone data has a zone of that name. A bare offset such as "+01:00" is not a zone. */
export function isTimeZone(name: string): boolean {
  if (zones.has(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    const isOne = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
    if (isOne) zones.add(name);
    return isOne;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** What to write instead of an unknown zone. */
export function timeZoneRemedy(name: string): string {
  if (/^[+-]?\d/.test(name) || /^(UTC|GMT)[+-]/i.test(name)) {
    return 'Name a place, such as "Europe/Berlin"; an offset alone does not know clock changes.';
  }
  const zones = Intl.supportedValuesOf('timeZone');
  const nearest = nearestName(name, zones) ?? zoneOfCity(name, zones);
  return nearest
    ? `Did you mean "${nearest}"?`
    : 'Write an IANA name such as "Europe/Berlin", or leave it out for UTC.';
}

function zoneOfCity(name: string, zones: readonly string[]): string | undefined {
  const cities = new Map(zones.map((zone) => [zone.slice(zone.lastIndexOf('/') + 1), zone]));
  const city = nearestName(name.slice(name.lastIndexOf('/') + 1).replaceAll(' ', '_'), [...cities.keys()]);
  return city === undefined ? undefined : cities.get(city);
}
