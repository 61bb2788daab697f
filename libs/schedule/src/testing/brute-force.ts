/**
 * What rule 3.3 says, minute by minute and with nothing shared with the code it judges: the wall clock is read from
 * the runtime's formatted fields or from zdump, cron fields are matched by looking at each value.
 */

const MINUTE = 60_000;
const RANGES: readonly [number, number][] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
];

/** A stretch of a zone's time: for each minute of real time what the wall clock shows. */
export interface WallTable {
  readonly start: number;
  readonly walls: readonly number[];
}

export function wallTable(timeZone: string, start: number, minutes: number): WallTable {
  const format = new Intl.DateTimeFormat('en-US-u-hc-h23', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const walls = Array.from({ length: minutes }, (_, index) => {
    const part = Object.fromEntries(
      format.formatToParts(start + index * MINUTE).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute);
  });
  return { start, walls };
}

/** What becomes of skipped and repeated wall times. */
export interface BruteRule {
  readonly gap: 'shift' | 'skip';
  readonly overlap: 'once' | 'twice';
}

/** The rule that a cron without wishes has: real hours when its hour field covers all 24. */
export function bruteRule(cron: string): BruteRule {
  const all24 = expand(cron.split(' ')[1]!, [0, 23]).size === 24;
  return all24 ? { gap: 'skip', overlap: 'twice' } : { gap: 'shift', overlap: 'once' };
}

/** All instants of a five-field cron within a table, far enough from its edges to be sure of them. */
export function bruteForce(
  cron: string,
  table: WallTable,
  margin: number,
  rule: BruteRule = bruteRule(cron),
): number[] {
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = cron.split(' ') as [
    string,
    string,
    string,
    string,
    string,
  ];
  const fields = [minutes, hours, plain(daysOfMonth), months, plain(daysOfWeek)].map((text, index) =>
    text === '' ? new Set<number>() : expand(text, RANGES[index]!),
  );
  const either = daysOfMonth !== '*' && daysOfWeek !== '*';
  const matches = (wall: number): boolean => {
    const date = new Date(wall);
    // Before the days, which have to be counted.
    if (!fields[0]!.has(date.getUTCMinutes()) || !fields[1]!.has(date.getUTCHours())) return false;
    const inMonth = fields[2]!.has(date.getUTCDate()) || matchesSpecial(daysOfMonth, date);
    const inWeek = fields[4]!.has(date.getUTCDay()) || matchesSpecial(daysOfWeek, date);
    return fields[3]!.has(date.getUTCMonth() + 1) && (either ? inMonth || inWeek : inMonth && inWeek);
  };
  const end = table.start + (table.walls.length - margin) * MINUTE;
  return [...new Set(wallTimes(table, matches, rule))]
    .filter((instant) => instant >= table.start + margin * MINUTE && instant < end)
    .sort((left, right) => left - right);
}

function wallTimes(
  { start, walls }: WallTable,
  matches: (wall: number) => boolean,
  rule: BruteRule,
): number[] {
  const instants: number[] = [];
  const seen = new Set<number>();
  walls.forEach((wall, index) => {
    const before = index === 0 ? wall - MINUTE : walls[index - 1]!;
    for (let skipped = before + MINUTE; rule.gap === 'shift' && skipped < wall; skipped += MINUTE) {
      if (matches(skipped)) instants.push(start + (index - 1) * MINUTE + (skipped - before));
    }
    if ((rule.overlap === 'twice' || !seen.has(wall)) && matches(wall)) instants.push(start + index * MINUTE);
    seen.add(wall);
  });
  return instants;
}

/** The ordinary items of a field; there may be none. */
function plain(text: string): string {
  return text
    .split(',')
    .filter((item) => !/[L#]/.test(item))
    .join(',');
}

/** `L`, `5L` and `2#3`, by counting the days of the month. */
function matchesSpecial(text: string, date: Date): boolean {
  if (!/[L#]/.test(text)) return false;
  const sameWeekday: number[] = [];
  const day = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1));
  let last = 1;
  for (; day.getUTCMonth() === date.getUTCMonth(); day.setUTCDate(day.getUTCDate() + 1)) {
    last = day.getUTCDate();
    if (day.getUTCDay() === date.getUTCDay()) sameWeekday.push(last);
  }
  return text.split(',').some((item) => {
    if (item === 'L') return date.getUTCDate() === last;
    const [, weekday, nth] = /^(\d)(?:L|#(\d))$/.exec(item) ?? [];
    if (weekday === undefined || Number(weekday) % 7 !== date.getUTCDay()) return false;
    return date.getUTCDate() === (nth === undefined ? sameWeekday.at(-1) : sameWeekday[Number(nth) - 1]);
  });
}

function expand(text: string, [min, max]: [number, number]): Set<number> {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const [base = '', step = '1'] = item.split('/');
    const [first, last] = base === '*' ? [min, max] : base.split('-').map(Number);
    const end = last ?? (item.includes('/') ? max : first!);
    for (let value = first!; value <= end; value += Number(step)) values.add(max === 6 ? value % 7 : value);
  }
  return values;
}
