/**
 * What rule 3.3 says, minute by minute and with nothing shared with the code it judges: the wall clock is read from
 * the runtime's formatted fields, cron fields are matched by looking at each value.
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

/** All instants of a five-field cron within a table, far enough from its edges to be sure of them. */
export function bruteForce(cron: string, table: WallTable, margin: number): number[] {
  const fields = cron.split(' ').map((text, index) => expand(text, RANGES[index]!));
  const all24 = fields[1]!.size === 24;
  const [, , dayOfMonth, , dayOfWeek] = cron.split(' ');
  const either = dayOfMonth !== '*' && dayOfWeek !== '*';
  const matches = (wall: number): boolean => {
    const date = new Date(wall);
    const inMonth = fields[2]!.has(date.getUTCDate());
    const inWeek = fields[4]!.has(date.getUTCDay());
    return (
      fields[0]!.has(date.getUTCMinutes()) &&
      fields[1]!.has(date.getUTCHours()) &&
      fields[3]!.has(date.getUTCMonth() + 1) &&
      (either ? inMonth || inWeek : inMonth && inWeek)
    );
  };
  const instants = all24 ? realHours(table, matches) : wallTimes(table, matches);
  const end = table.start + (table.walls.length - margin) * MINUTE;
  return [...new Set(instants)]
    .filter((instant) => instant >= table.start + margin * MINUTE && instant < end)
    .sort((left, right) => left - right);
}

function realHours({ start, walls }: WallTable, matches: (wall: number) => boolean): number[] {
  return walls.flatMap((wall, index) => (matches(wall) ? [start + index * MINUTE] : []));
}

function wallTimes({ start, walls }: WallTable, matches: (wall: number) => boolean): number[] {
  const instants: number[] = [];
  const seen = new Set<number>();
  walls.forEach((wall, index) => {
    const before = index === 0 ? wall - MINUTE : walls[index - 1]!;
    for (let skipped = before + MINUTE; skipped < wall; skipped += MINUTE) {
      if (matches(skipped)) instants.push(start + (index - 1) * MINUTE + (skipped - before));
    }
    if (!seen.has(wall) && matches(wall)) instants.push(start + index * MINUTE);
    seen.add(wall);
  });
  return instants;
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
