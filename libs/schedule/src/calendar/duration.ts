import { DAY, HOUR, MINUTE, SECOND } from './cron-calendar.ts';

const UNITS: Readonly<Record<string, number>> = { w: 7 * DAY, d: DAY, h: HOUR, m: MINUTE, s: SECOND };

/** How a length of time is written. */
export const DURATION = 'a duration such as 90s, 15m, 6h or 1d12h (weeks, days, hours, minutes, seconds)';

/** Milliseconds of `1w2d3h4m5s`; nothing when the text is not a duration longer than nothing. */
export function durationOf(text: string): number | undefined {
  if (!/^(?=\d)(\d{1,6}w)?(\d{1,6}d)?(\d{1,6}h)?(\d{1,6}m)?(\d{1,6}s)?$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([wdhms])/g)) {
    total += Number(amount) * (UNITS[unit ?? ''] ?? 0);
  }
  return total === 0 ? undefined : total;
}

/** The text of a length of time, `6h` or `1d12h`, to the second. */
export function durationText(milliseconds: number): string {
  let left = Math.round(milliseconds / SECOND) * SECOND;
  let text = '';
  for (const [unit, size] of Object.entries(UNITS)) {
    const amount = Math.floor(left / size);
    if (unit === 'w' && left % size !== 0) continue;
    if (amount > 0) text += `${amount}${unit}`;
    left -= amount * size;
  }
  return text === '' ? '0s' : text;
}
