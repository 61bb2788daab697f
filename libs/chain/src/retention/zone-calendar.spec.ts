import { describe, expect, it } from '@jest/globals';
import { ZoneCalendar } from './zone-calendar.ts';

function local(text: string) {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/\D/).map(Number);
  return { year, month, day, hour, minute, second: 0, millisecond: 0 };
}

describe('the calendar of a zone', () => {
  it.each([
    ['UTC', '2026-03-29 02:30', '2026-03-29T02:30:00.000Z'],
    ['Europe/Berlin', '2026-01-15 12:00', '2026-01-15T11:00:00.000Z'],
    ['Europe/Berlin', '2026-07-15 12:00', '2026-07-15T10:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:30:00.000Z'],
    ['Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05 01:45', '2026-04-04T14:45:00.000Z'],
    ['Asia/Kathmandu', '2026-04-05 05:45', '2026-04-05T00:00:00.000Z'],
    ['Pacific/Apia', '2011-12-31 00:00', '2011-12-30T10:00:00.000Z'],
  ])('%s %s is %s', (zone, text, instant) => {
    expect(new Date(new ZoneCalendar(zone).instantOf(local(text))).toISOString()).toBe(instant);
  });

  it('ends a day of 23 hours where the next begins', () => {
    const calendar = new ZoneCalendar('Europe/Berlin');
    const day = calendar.dayOf(Date.parse('2026-03-29T10:00:00Z'));
    expect(new Date(calendar.endOfDay(day)).toISOString()).toBe('2026-03-29T21:59:59.999Z');
  });

  it('refuses a zone nobody knows', () => {
    expect(() => new ZoneCalendar('Mars/Olympus')).toThrow(
      expect.objectContaining({ code: 'retention.zone-unknown' }),
    );
  });
});
