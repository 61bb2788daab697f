import { describe, expect, it } from '@jest/globals';
import { changesFromZdump } from '../testing/zdump.ts';
import { isTimeZone, timeZoneRemedy } from './time-zone.ts';
import { zoneTimeline } from './zone-timeline.ts';

/** Offsets in minutes as zdump prints them, one row before and one after each change. */
const rows: [string, string, number][] = [
  ['Europe/Berlin', '2025-03-30T00:59:59Z', 60],
  ['Europe/Berlin', '2025-03-30T01:00:00Z', 120],
  ['Australia/Lord_Howe', '2025-04-05T14:59:59Z', 660],
  ['Australia/Lord_Howe', '2025-04-05T15:00:00Z', 630],
  ['Pacific/Apia', '2011-12-30T09:59:59Z', -600],
  ['Pacific/Apia', '2011-12-30T10:00:00Z', 840],
  ['Antarctica/Troll', '2025-03-30T00:59:59Z', 0],
  ['Antarctica/Troll', '2025-03-30T01:00:00Z', 120],
  ['Africa/Cairo', '2024-04-25T21:59:59Z', 120],
  ['Africa/Cairo', '2024-04-25T22:00:00Z', 180],
  ['Asia/Kathmandu', '2025-01-01T00:00:00Z', 345],
  ['UTC', '2025-01-01T00:00:00Z', 0],
];

describe('the timeline of a zone', () => {
  it.each(rows)('%s at %s is %i minutes from UTC', (zone, at, minutes) => {
    expect(zoneTimeline(zone).offsetAt(Date.parse(at))).toBe(minutes * 60_000);
  });

  it('has no gaps and no overlaps', () => {
    const timeline = zoneTimeline('Africa/Casablanca');
    let piece = timeline.pieceAt(Date.UTC(2000, 0, 1));
    while (piece.end < Date.UTC(2040, 0, 1)) {
      const next = timeline.pieceAt(piece.end);
      expect(next.start).toBe(piece.end);
      piece = next;
    }
  });

  const changes = changesFromZdump(Intl.supportedValuesOf('timeZone'), [2007, 2017]);
  (changes ? it : it.skip)('agrees with zdump on every change of every zone from 2007 to 2016', () => {
    const disagreements = changes!.filter(({ zone, at, before, after }) => {
      const timeline = zoneTimeline(zone);
      return timeline.offsetAt(at - 1000) !== before || timeline.offsetAt(at) !== after;
    });
    expect(changes!.length).toBeGreaterThan(1000);
    expect(disagreements).toEqual([]);
  });
});

describe('the name of a zone', () => {
  it.each(['Europe/Berlin', 'UTC', 'America/Argentina/San_Luis', 'Etc/GMT+5', 'US/Pacific'])(
    'rule 3.3: %s is one',
    (zone) => {
      expect(isTimeZone(zone)).toBe(true);
    },
  );

  it.each([
    ['Europe/Berln', /Did you mean "Europe\/Berlin"/],
    ['Sydney', /Did you mean "Australia\/Sydney"/],
    ['+02:00', /Name a place/],
    ['UTC+2', /Name a place/],
    ['', /IANA name/],
    ['Mars/Olympus_Mons', /IANA name/],
  ])('rule 3.3: "%s" is refused with a remedy', (zone, remedy) => {
    expect(isTimeZone(zone)).toBe(false);
    expect(timeZoneRemedy(zone)).toMatch(remedy);
  });
});
