import { CatenaError } from '@catena/events';

/** A time as a history wrote it, to the microsecond. */
export interface HistoryTime {
  readonly text: string;
  /** The digits on the clock, as microseconds since 1970 as if they were UTC. */
  readonly wall: number;
  /** Microseconds since 1970 UTC, when the text says its offset. */
  readonly instant: number | undefined;
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads a time with or without an offset.
 * @throws CatenaError `history.time-unreadable`
 */
export function readHistoryTime(text: string, what: string): HistoryTime {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] =
    TIME.exec(text.trim()) ?? [];
  const wall =
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) *
      1000 +
    Number(fraction.padEnd(6, '0').slice(0, 6));
  if (Number.isNaN(wall)) {
    throw new CatenaError('history.time-unreadable', `${what} is not a time: "${text}".`, {
      remedy: 'Write it as 2026-03-01T12:00:00, with or without an offset.',
    });
  }
  return { text: text.trim(), wall, instant: zone === undefined ? undefined : wall - offsetOf(zone) };
}

/**
 * How times of one history are compared: as instants when all of them say their offset, else by the digits on the
 * clock, with the asked time on the same clock (rules.md 2.8).
 */
export function historyOrder(times: Iterable<HistoryTime | undefined>): (time: HistoryTime) => number {
  for (const time of times) {
    if (time !== undefined && time.instant === undefined) return (one) => one.wall;
  }
  return (one) => one.instant ?? one.wall;
}

function offsetOf(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  const digits = zone.replace(/\D/g, '');
  return sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000_000;
}
