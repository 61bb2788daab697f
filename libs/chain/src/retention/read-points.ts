import { CatenaError, type BackupType } from '@catena/events';
import type { ForkOrigin } from '../restore-plan/fork-path.ts';
import type { ForkOrigins } from './branches.ts';
import type { RetentionPoint } from './point.ts';
import type { ZoneCalendar } from './zone-calendar.ts';

type Fields = Readonly<Record<string, unknown>>;

const TYPES: readonly BackupType[] = ['full', 'differential', 'incremental', 'log'];
const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads `{id, time, type?, parent?, base?, copyOnly?, tags?, pinned?, host?, paths?}`, and where there are any `manual`,
 * `state`, `bytes`, `closure`, `family`, `position`, `start`, `fork`. Other fields are ignored. An incremental without a parent follows the data backup before
 * it, a differential without a base the full before it.
 * @throws CatenaError `retention.backups-unreadable`, naming the entry and the field.
 */
export function readRetentionPoints(value: unknown, calendar: ZoneCalendar): RetentionPoint[] {
  if (!Array.isArray(value)) throw unreadable('The backups', 'are not a list');
  const points = (value as unknown[]).map((entry, index) => readPoint(entry, index + 1, calendar));
  const ids = new Set<string>();
  for (const { point } of points) {
    if (ids.has(point.id)) throw unreadable(`The id ${point.id}`, 'is there twice');
    ids.add(point.id);
  }
  return withInferredNeeds(points);
}

/**
 * Reads a time; without an offset it is on the clocks of the zone.
 * @throws CatenaError `retention.backups-unreadable`
 */
export function readInstant(text: unknown, what: string, calendar: ZoneCalendar): number {
  const match = typeof text === 'string' ? TIME.exec(text.trim()) : null;
  if (match === null) throw unreadable(what, `is not a time: ${asText(text)}`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  const local = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: 0,
  };
  const milliseconds = Number(`0.${fraction || '0'}`) * 1000;
  if (zone === undefined) return calendar.instantOf(local) + milliseconds;
  const wall = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second);
  return wall - offsetOf(zone) + milliseconds;
}

interface ReadPoint {
  readonly point: RetentionPoint;
  readonly depends: 'known' | 'infer';
}

function readPoint(entry: unknown, number: number, calendar: ZoneCalendar): ReadPoint {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw unreadable(`Backup ${number}`, 'is not an object');
  }
  const fields = entry as Fields;
  const id = fields['id'];
  if (typeof id !== 'string' || id === '') throw unreadable(`Backup ${number}`, 'has no id');
  const type = typeOf(fields['type'], id);
  const state = fields['state'];
  const needs = needsOf(fields, type);
  const point: RetentionPoint = {
    id,
    time: readInstant(fields['time'], `The time of ${id}`, calendar),
    type,
    copyOnly: fields['copyOnly'] === true,
    manual: fields['manual'] === true,
    tags: textsOf(fields['tags']),
    holds: fields['pinned'] === true ? ['pinned'] : [],
    usable: state === undefined || state === 'usable',
    needs: needs ?? [],
    group: JSON.stringify([
      fields['collection'] ?? '',
      fields['host'] ?? '',
      textsOf(fields['paths']).sort(),
    ]),
    bytes: typeof fields['bytes'] === 'number' ? fields['bytes'] : undefined,
    ...placeOf(fields),
  };
  return { point, depends: needs === undefined ? 'infer' : 'known' };
}

function placeOf({ family, position, start, fork }: Fields): Pick<RetentionPoint, 'place'> {
  if (typeof family !== 'string' || !isPosition(position)) return {};
  const known = { family, position, ...(typeof fork === 'string' ? { fork } : {}) };
  return { place: isPosition(start) ? { ...known, start } : known };
}

function isPosition(value: unknown): value is string {
  return typeof value === 'string' && /^\d+$/.test(value);
}

/**
 * Where branches left others, as backups say it: `fork` with `forkParent` and `forkAt`.
 * @param value the list that `readRetentionPoints` takes
 */
export function readForkOrigins(value: unknown): ForkOrigins {
  const entries = Array.isArray(value) ? (value as unknown[]) : [];
  const origins = new Map<string, ForkOrigin>();
  for (const entry of entries) {
    const { fork, forkParent: parent, forkAt: at } = (entry ?? {}) as Fields;
    if (typeof fork === 'string' && typeof parent === 'string' && isPosition(at))
      origins.set(fork, { parent, at });
  }
  return origins;
}

/** What a backup says it depends on; undefined when it must depend on something and does not say on what. */
function needsOf(fields: Fields, type: BackupType): string[] | undefined {
  if (Array.isArray(fields['closure'])) return textsOf(fields['closure']);
  const [parent, base] = [fields['parent'], fields['base']];
  switch (type) {
    case 'incremental':
      return typeof parent === 'string' ? [parent] : undefined;
    case 'differential':
      return typeof base === 'string' ? [base] : typeof parent === 'string' ? [parent] : undefined;
    case 'full':
    case 'log':
      return [];
  }
}

function withInferredNeeds(points: readonly ReadPoint[]): RetentionPoint[] {
  const before = new Map<string, { data?: string; full?: string }>();
  const inferred = new Map<string, string[]>();
  for (const { point, depends } of [...points].sort((a, b) => a.point.time - b.point.time)) {
    if (point.copyOnly || point.type === 'log') continue;
    const known = before.get(point.group) ?? {};
    const need = point.type === 'differential' ? known.full : known.data;
    if (depends === 'infer' && need !== undefined) inferred.set(point.id, [need]);
    before.set(point.group, {
      data: point.id,
      ...(point.type === 'full' ? { full: point.id } : known.full === undefined ? {} : { full: known.full }),
    });
  }
  return points.map(({ point }) => ({ ...point, needs: inferred.get(point.id) ?? point.needs }));
}

function typeOf(value: unknown, id: string): BackupType {
  if (value === undefined || value === null) return 'full';
  const type = TYPES.find((one) => one === value);
  if (type === undefined) {
    throw unreadable(`The type of ${id}`, `is ${JSON.stringify(value)}; types are ${TYPES.join(', ')}`);
  }
  return type;
}

function textsOf(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? (value as unknown[]) : [];
  return list.filter((one): one is string => typeof one === 'string');
}

function offsetOf(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const digits = zone.replace(/\D/g, '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

function unreadable(what: string, why: string): CatenaError {
  return new CatenaError('retention.backups-unreadable', `${what} ${why}.`, {
    remedy:
      'Give a JSON array of {id, time, type?, parent?, base?, copyOnly?, tags?, pinned?, host?, paths?}.',
  });
}

function asText(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
