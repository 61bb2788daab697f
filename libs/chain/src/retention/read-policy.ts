import { CatenaError } from '@catena/events';
import { isZero, readDuration, type CalendarDuration } from './duration.ts';
import {
  KEEP_COUNTS,
  KEEP_WITHIN,
  MONTHS,
  WEEKDAYS,
  WEEKS,
  type CalendarRules,
  type GfsRules,
  type KeepCount,
  type KeepRules,
  type KeepWithin,
  type RetentionPolicy,
  type RetentionRules,
} from './policy.ts';

type Fields = Readonly<Record<string, unknown>>;

const RULE_FIELDS = ['keep', 'days', 'points', 'gfs'] as const;
const POLICY_FIELDS = [...RULE_FIELDS, 'logs', 'copyOnly', 'manual', 'grace'] as const;

/**
 * Reads `spec.retention` as YAML or JSON gave it. What contradicts itself, keeps nothing or is not known is refused, never
 * resolved by taking the lowest (rules.md 5.3).
 * @throws CatenaError `retention.empty`, `retention.field-unknown`, `retention.two-dialects`, `retention.contradiction`,
 * `retention.keeps-nothing`, `retention.value-wrong`, `retention.unit-unknown`; `details.path` names the place.
 */
export function readRetentionPolicy(value: unknown): RetentionPolicy {
  const fields = fieldsOf(value, 'retention', POLICY_FIELDS);
  if (Object.keys(fields).length === 0) {
    throw new CatenaError('retention.empty', 'The retention policy has no rule.', {
      remedy: 'Leave retention out to keep everything, or say what is kept: keep, days, points or gfs.',
      details: { path: 'retention' },
    });
  }
  const rules = RULE_FIELDS.some((field) => field in fields) ? readRules(fields, 'retention') : undefined;
  return {
    ...(rules === undefined ? {} : { rules }),
    ...('logs' in fields ? { logs: readLogs(fields['logs']) } : {}),
    ...('copyOnly' in fields ? { copyOnly: nested(fields['copyOnly'], 'retention.copyOnly') } : {}),
    ...('manual' in fields ? { manual: nested(fields['manual'], 'retention.manual') } : {}),
    ...('grace' in fields ? { grace: durationOf(fields['grace'], 'retention.grace') } : {}),
  };
}

function nested(value: unknown, path: string): RetentionRules {
  return readRules(fieldsOf(value, path, RULE_FIELDS), path);
}

function readRules(fields: Fields, path: string): RetentionRules {
  const calendar = ['days', 'points', 'gfs'].filter((field) => field in fields);
  if ('keep' in fields && calendar.length > 0) {
    throw new CatenaError(
      'retention.two-dialects',
      `${path}: keep and ${calendar.join(', ')} are two dialects; a policy speaks one.`,
      { remedy: 'Use keep alone, or days or points with gfs.', details: { path } },
    );
  }
  if ('days' in fields && 'points' in fields) {
    throw new CatenaError('retention.contradiction', `${path}: days and points say the short term twice.`, {
      remedy: 'Keep one of the two.',
      details: { path },
    });
  }
  if ('keep' in fields) return readKeep(fields['keep'], `${path}.keep`);
  if (calendar.length === 0) throw keepsNothing(path);
  const rules: CalendarRules = {
    dialect: 'calendar',
    ...('days' in fields ? { days: countOf(fields['days'], `${path}.days`) } : {}),
    ...('points' in fields ? { points: countOf(fields['points'], `${path}.points`) } : {}),
    ...('gfs' in fields ? { gfs: readGfs(fields['gfs'], `${path}.gfs`) } : {}),
  };
  return rules;
}

function readKeep(value: unknown, path: string): KeepRules {
  const fields = fieldsOf(value, path, [...KEEP_COUNTS, ...KEEP_WITHIN, 'tags']);
  const counts: Partial<Record<KeepCount, number>> = {};
  for (const field of KEEP_COUNTS) {
    if (field in fields) counts[field] = keepCountOf(fields[field], `${path}.${field}`);
  }
  const within: Partial<Record<KeepWithin, CalendarDuration>> = {};
  for (const field of KEEP_WITHIN) {
    if (field in fields) within[field] = durationOf(fields[field], `${path}.${field}`);
  }
  const tags = 'tags' in fields ? tagListsOf(fields['tags'], `${path}.tags`) : [];
  const keepsSomething =
    Object.values(counts).some((count) => count !== 0) ||
    Object.values(within).some((duration) => !isZero(duration)) ||
    tags.length > 0;
  if (!keepsSomething) throw keepsNothing(path);
  return { dialect: 'keep', counts, within, tags };
}

function readGfs(value: unknown, path: string): GfsRules {
  const fields = fieldsOf(value, path, ['weekly', 'monthly', 'yearly']);
  if (Object.keys(fields).length === 0) throw keepsNothing(path);
  const level = (name: string, more: string) => fieldsOf(fields[name], `${path}.${name}`, ['keep', more]);
  const keepOf = (level: Fields, name: string) => countOf(level['keep'], `${path}.${name}.keep`);
  const rules: { -readonly [K in keyof GfsRules]: GfsRules[K] } = {};
  if ('weekly' in fields) {
    const weekly = level('weekly', 'on');
    const on = nameOf(weekly['on'] ?? 'sunday', WEEKDAYS, `${path}.weekly.on`);
    rules.weekly = { keep: keepOf(weekly, 'weekly'), on: WEEKDAYS.indexOf(on) };
  }
  if ('monthly' in fields) {
    const monthly = level('monthly', 'week');
    const week = nameOf(monthly['week'] ?? 'first', WEEKS, `${path}.monthly.week`);
    rules.monthly = { keep: keepOf(monthly, 'monthly'), week };
  }
  if ('yearly' in fields) {
    const yearly = level('yearly', 'month');
    rules.yearly = {
      keep: keepOf(yearly, 'yearly'),
      month: monthOf(yearly['month'], `${path}.yearly.month`),
    };
  }
  return rules;
}

function readLogs(value: unknown): { for: CalendarDuration } {
  const fields = fieldsOf(value, 'retention.logs', ['for']);
  return { for: durationOf(fields['for'], 'retention.logs.for') };
}

function monthOf(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 12) return value;
  return MONTHS.indexOf(nameOf(value ?? 'january', MONTHS, path)) + 1;
}

/** Names may be shortened to three letters, as people write weekdays and months; case does not matter. */
function nameOf<T extends string>(value: unknown, names: readonly T[], path: string): T {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  const name =
    names.find((one) => one === text) ?? names.find((one) => text.length === 3 && one.startsWith(text));
  if (name === undefined) throw wrongValue(path, value, `one of ${names.join(', ')}`);
  return name;
}

function keepCountOf(value: unknown, path: string): number {
  if (value === 'unlimited') return -1;
  if (typeof value === 'number' && Number.isInteger(value) && value >= -1) return value;
  throw wrongValue(path, value, 'a whole number from 0, or -1 for unlimited');
}

function countOf(value: unknown, path: string): number {
  if (value === 0) throw keepsNothing(path);
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw wrongValue(path, value, 'a whole number from 1');
}

function durationOf(value: unknown, path: string): CalendarDuration {
  if (typeof value === 'string') return readDuration(value, path);
  if (typeof value === 'number') return readDuration(String(value), path);
  throw wrongValue(path, value, 'a duration like 1y6m2w3d4h');
}

/** Each entry is a list of tags that must all be there; a text may have several with commas. */
function tagListsOf(value: unknown, path: string): string[][] {
  const entries: unknown[] = Array.isArray(value) ? (value as unknown[]) : [value];
  return entries.map((entry) => {
    const tags: unknown[] = Array.isArray(entry) ? (entry as unknown[]) : [entry];
    return tags.flatMap((tag) => {
      if (typeof tag !== 'string') throw wrongValue(path, tag, 'tags as text');
      return tag.split(',').map((one) => one.trim());
    });
  });
}

function fieldsOf(value: unknown, path: string, known: readonly string[]): Fields {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongValue(path, value, 'a mapping of rules');
  const fields = value as Fields;
  const unknown = Object.keys(fields).find((field) => !known.includes(field));
  if (unknown === undefined) return fields;
  throw new CatenaError('retention.field-unknown', `${path}.${unknown} is not a rule.`, {
    remedy: `Known here: ${known.join(', ')}.`,
    details: { path: `${path}.${unknown}` },
  });
}

function keepsNothing(path: string): CatenaError {
  return new CatenaError('retention.keeps-nothing', `${path} would keep nothing.`, {
    remedy: 'Say what is kept; leave retention out to keep everything.',
    details: { path },
  });
}

function wrongValue(path: string, value: unknown, expected: string): CatenaError {
  return new CatenaError('retention.value-wrong', `${path}: ${asText(value)} is not ${expected}.`, {
    remedy: `Expected: ${expected}.`,
    details: { path },
  });
}

function asText(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
