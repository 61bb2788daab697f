import { CronExpressionParser } from 'cron-parser';
import { LAST_DAY, nthWeekday, type NthWeekday } from './cron-text.ts';

/** Per value the smallest allowed value that is not below it; nothing past the last. */
export type NextValue = readonly (number | undefined)[];

/** Seconds, minutes or hours that an expression allows. */
export interface TimeField {
  readonly next: NextValue;
  readonly size: number;
}

/** Days or months that an expression allows, a bit for each, and what only the month decides. */
export interface DayField {
  readonly bits: number;
  readonly isWildcard: boolean;
  readonly lastDay: boolean;
  readonly nthWeekdays: readonly NthWeekday[];
}

/**
 * A hundred thousand expressions are made of few different fields, so each field is expanded once. Alone in an
 * expression whose other fields are `*`, where it means what it means in any.
 */
const timeFields = new Map<string, TimeField>();
const dayFields = new Map<string, DayField>();
const MOST_KEPT = 20_000;

/** @param index 0 for seconds, 1 for minutes, 2 for hours */
export function timeField(index: 0 | 1 | 2, text: string): TimeField {
  return kept(timeFields, `${index} ${text}`, () => {
    const { second, minute, hour } = expanded(index, text);
    const { values } = [second, minute, hour][index] ?? second;
    const size = index === 2 ? 24 : 60;
    const next = Array.from({ length: size }, (_, from) => values.find((value) => value >= from));
    return { next, size: values.length };
  });
}

/** @param index 3 for days of the month, 4 for months, 5 for days of the week */
export function dayField(index: 3 | 4 | 5, text: string): DayField {
  return kept(dayFields, `${index} ${text}`, () => {
    const items = text.split(',');
    const isSpecial = (item: string) =>
      (index === 3 && LAST_DAY.test(item)) || (index === 5 && nthWeekday(item) !== undefined);
    const plain = items.filter((item) => !isSpecial(item)).join(',');
    const { dayOfMonth, month, dayOfWeek } = expanded(index, plain === '' ? '*' : plain);
    const field = index === 3 ? dayOfMonth : index === 4 ? month : dayOfWeek;
    const values = field.values.map((value) => (index === 5 ? Number(value) % 7 : Number(value)));
    return {
      bits: plain === '' ? 0 : values.reduce((bits, value) => bits | (1 << value), 0),
      isWildcard: plain !== '' && field.isWildcard,
      lastDay: index === 3 && items.some(isSpecial),
      nthWeekdays: index === 5 ? items.flatMap((item) => nthWeekday(item) ?? []) : [],
    };
  });
}

function expanded(index: number, text: string) {
  const fields = ['*', '*', '*', '*', '*', '*'].with(index, text);
  return CronExpressionParser.parse(fields.join(' '), { tz: 'UTC', currentDate: new Date(0) }).fields;
}

function kept<T>(fields: Map<string, T>, key: string, make: () => T): T {
  const known = fields.get(key);
  if (known !== undefined) return known;
  if (fields.size >= MOST_KEPT) fields.clear();
  const made = make();
  fields.set(key, made);
  return made;
}
