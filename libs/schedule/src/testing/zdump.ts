import { spawnSync } from 'node:child_process';
import type { WallTable } from './brute-force.ts';

const MINUTE = 60_000;

/** A change of a zone's offset as the system's own zone data has it. Milliseconds. */
export interface ZoneChange {
  readonly zone: string;
  /** The first instant with the new offset. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** Every change of every zone between two years, asked of zdump; nothing where there is no zdump. */
export function changesFromZdump(
  zones: readonly string[],
  years: readonly [from: number, to: number],
): ZoneChange[] | undefined {
  const zdump = spawnSync('zdump', ['-v', '-c', years.join(','), ...zones], {
    encoding: 'utf8',
    maxBuffer: 1 << 27,
  });
  if (zdump.error) return undefined;
  const lines = [...zdump.stdout.matchAll(/^(\S+) +\w+ (\w+ +\d+ [\d:]+ \d{4}) UT .*gmtoff=(-?\d+)$/gm)].map(
    ([, zone = '', at, offset]) => ({ zone, at: Date.parse(`${at} UTC`), offset: Number(offset) * 1000 }),
  );
  return lines.flatMap((line, index) => {
    const previous = lines[index - 1];
    // zdump prints the last second before a change and the first after it.
    if (previous?.zone !== line.zone || line.at - previous.at !== 1000) return [];
    if (previous.offset === line.offset) return [];
    return [{ zone: line.zone, at: line.at, before: previous.offset, after: line.offset }];
  });
}

/** The wall clock around a change, minute by minute, from zdump's words alone; other changes near it are given too. */
export function wallTableOf(
  change: ZoneChange,
  near: readonly ZoneChange[],
  minutesAround: number,
): WallTable {
  const start = change.at - minutesAround * MINUTE;
  const inOrder = near
    .filter(({ zone }) => zone === change.zone)
    .toSorted((left, right) => left.at - right.at);
  const walls = Array.from({ length: 2 * minutesAround }, (_, index) => {
    const instant = start + index * MINUTE;
    const latest = inOrder.findLast(({ at }) => at <= instant);
    return instant + (latest ? latest.after : (inOrder[0]?.before ?? change.before));
  });
  return { start, walls };
}
