import { cronFields, cronNames, type CronFieldRule } from './cron-names.ts';
import { nearestName } from '../nearest-name.ts';

/** What is wrong with a cron text, and where. `offset` counts characters from the start of the text. */
export interface CronProblem {
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
  readonly remedy?: string;
}

interface Token {
  readonly text: string;
  readonly offset: number;
}

const MINUTE_FIELDS = 5;
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * Everything that is wrong with a cron text; empty when it is good. Stricter than the parser behind it, which
 * reads an empty text as every minute, pads four fields and turns a step of 61 minutes into an hour
 * (architecture.md section 9).
 */
export function cronProblems(text: string): CronProblem[] {
  if (isKnownGood(text)) return [];
  const trimmed = text.trim();
  if (trimmed === '') {
    return [
      {
        offset: 0,
        found: 'an empty text',
        expected: 'five or six fields, or a name',
        remedy: 'Write "@daily".',
      },
    ];
  }
  if (trimmed.startsWith('@')) return nameProblems(trimmed, text.indexOf('@'));
  const tokens = tokensOf(text);
  if (tokens.length < MINUTE_FIELDS || tokens.length > cronFields.length) {
    return [fieldCountProblem(tokens, text)];
  }
  const first = cronFields.length - tokens.length;
  const problems = tokens.flatMap((token, index) => fieldProblems(token, ruleAt(first + index)));
  if (problems.length > 0) return problems;
  const impossible = impossibleDay(tokens.slice(-MINUTE_FIELDS));
  if (impossible.length === 0) remember(tokens.map((token) => token.text));
  return impossible;
}

/** Fields that are good, by place from the end, and days of a month with their months: many texts are made of few of them. */
const goodFields: readonly Set<string>[] = cronFields.map(() => new Set());
const goodDays = new Set<string>();
const MOST_KEPT = 20_000;

function isKnownGood(text: string): boolean {
  const fields = text.split(' ');
  const count = fields.length;
  if (count < MINUTE_FIELDS || count > cronFields.length) return false;
  for (let index = 0; index < count; index += 1)
    if (!goodFields[cronFields.length - count + index]?.has(fields[index] ?? '')) return false;
  return goodDays.has(`${fields[count - 3]} ${fields[count - 2]} ${fields[count - 1]}`);
}

function remember(fields: readonly string[]): void {
  const first = cronFields.length - fields.length;
  for (const [index, field] of fields.entries()) addTo(goodFields[first + index], field);
  addTo(goodDays, fields.slice(-3).join(' '));
}

function addTo(known: Set<string> | undefined, text: string): void {
  if (known && known.size >= MOST_KEPT) known.clear();
  known?.add(text);
}

/** The six fields a good cron text stands for, seconds first. */
export function sixFields(text: string): string[] {
  const trimmed = text.trim();
  const fields = (cronNames[trimmed] ?? trimmed).split(/\s+/);
  return fields.length === MINUTE_FIELDS ? ['0', ...fields] : fields;
}

/** The last day of the month, in the field of the day of month. */
export const LAST_DAY = /^L$/i;

/** `5L`, the last Friday of the month, or `fri#2`, its second, in the field of the day of week. */
const NTH_WEEKDAY = /^([a-z0-9]+?)(?:L|#([1-5]))$/i;

/** A day of week in a month: which (0 is Sunday), and its number from the start; 0 is the last. */
export interface NthWeekday {
  readonly weekday: number;
  readonly nth: number;
}

/** What an item of the day of week says about weeks of the month; nothing when it is an ordinary one. */
export function nthWeekday(item: string): NthWeekday | undefined {
  const match = NTH_WEEKDAY.exec(item);
  const day = match?.[1] === undefined ? undefined : valueOf(match[1], ruleAt(cronFields.length - 1));
  return day === undefined ? undefined : { weekday: day % 7, nth: Number(match?.[2] ?? 0) };
}

function nameProblems(name: string, offset: number): CronProblem[] {
  if (Object.hasOwn(cronNames, name)) return [];
  const names = Object.keys(cronNames);
  const nearest = nearestName(name, names);
  return [
    {
      offset,
      found: `"${name}"`,
      expected: `five or six fields or one of ${names.join(', ')}`,
      remedy: nearest ? `Did you mean "${nearest}"?` : 'Write the time as five fields.',
    },
  ];
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }));
}

function fieldCountProblem(tokens: readonly Token[], text: string): CronProblem {
  const surplus = tokens[cronFields.length];
  return {
    offset: surplus?.offset ?? text.trimEnd().length,
    found: tokens.length === 1 ? '1 field' : `${tokens.length} fields`,
    expected: 'five fields (minute, hour, day of month, month, day of week), or six with seconds first',
    remedy: surplus
      ? 'Leave out the year; every year is meant.'
      : 'Add the missing fields; "*" stands for every value.',
  };
}

function ruleAt(index: number): CronFieldRule {
  const rule = cronFields[index];
  if (!rule) throw new RangeError(`There is no cron field ${index}.`);
  return rule;
}

function fieldProblems(token: Token, rule: CronFieldRule): CronProblem[] {
  let offset = token.offset;
  return token.text.split(',').flatMap((item) => {
    const problem = itemProblem({ text: item, offset }, rule);
    offset += item.length + 1;
    return problem ? [problem] : [];
  });
}

/** One list item: `*`, a value, a range, each with a step or without; for days also what the month decides. */
function itemProblem(item: Token, rule: CronFieldRule): CronProblem | undefined {
  if (isSpecialDay(item.text, rule)) return undefined;
  const [base = '', step, ...rest] = item.text.split('/');
  if (rest.length > 0) return problemOf(item, rule, 'one step', 'Write it as `first-last/step`.');
  const range = base === '*' ? { first: rule.min, last: lastValue(rule) } : rangeOf(base, rule);
  if (!range) return unreadable(item, rule);
  const { first, last } = range;
  if (first > last) {
    return problemOf(
      item,
      rule,
      'a range that grows',
      `Write it as two ranges: "${splitRange(base, rule)}".`,
    );
  }
  if (step === undefined) return undefined;
  const width = (base.includes('-') || base === '*' ? last : lastValue(rule)) - first + 1;
  if (!/^\d{1,4}$/.test(step) || Number(step) < 1 || Number(step) > width) {
    return problemOf(
      { text: item.text, offset: item.offset + base.length + 1 },
      rule,
      `a step from 1 to ${width}`,
      'A longer step would start again at every turn of the field; choose a coarser field for it.',
    );
  }
  return undefined;
}

function isSpecialDay(item: string, rule: CronFieldRule): boolean {
  if (rule.name === 'day of month') return LAST_DAY.test(item);
  return rule.name === 'day of week' && nthWeekday(item) !== undefined;
}

/** The last value of a whole field: a day of week counts Sunday once. */
function lastValue(rule: CronFieldRule): number {
  return rule.words[0] === 'sun' ? rule.max - 1 : rule.max;
}

function rangeOf(text: string, rule: CronFieldRule): { first: number; last: number } | undefined {
  const parts = text.split('-');
  const values = parts.map((part) => valueOf(part, rule));
  const [first, last = first] = values;
  if (parts.length > 2 || first === undefined || last === undefined || values.includes(undefined)) {
    return undefined;
  }
  return { first, last };
}

function valueOf(text: string, rule: CronFieldRule): number | undefined {
  const word = rule.words.indexOf(text.toLowerCase());
  if (word >= 0) return word + rule.min;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= rule.min && value <= rule.max ? value : undefined;
}

function unreadable(item: Token, rule: CronFieldRule): CronProblem {
  const nearest = rule.words.length > 0 && nearestName(item.text.toLowerCase(), rule.words);
  if (nearest) return problemOf(item, rule, valuesOf(rule), `Did you mean "${nearest}"?`);
  const special = specialDayRemedy(item, rule);
  if (special !== undefined) return problemOf(item, rule, valuesOf(rule), special);
  if (item.text.includes('?')) return problemOf(item, rule, valuesOf(rule), 'Write "*" for any value.');
  if (item.text === '') return problemOf(item, rule, valuesOf(rule), 'Take out the surplus comma.');
  return problemOf(item, rule, valuesOf(rule), 'A field is "*", a value, a range or a list, with "/step".');
}

function specialDayRemedy(item: Token, rule: CronFieldRule): string | undefined {
  if (item.text.includes('#')) {
    return rule.name === 'day of week'
      ? 'Write a day and its number in the month from 1 to 5: "fri#2".'
      : 'A "#" belongs to the day of week: "fri#2" is the second Friday.';
  }
  if (!/L$/i.test(item.text) || !rule.name.startsWith('day')) return undefined;
  return 'Write "L" as the day of month for its last day, or "5L" as the day of week for the last Friday.';
}

function valuesOf(rule: CronFieldRule): string {
  const words = rule.words.length > 0 ? ` or ${rule.words[0]}-${rule.words.at(-1)}` : '';
  return `${rule.name} ${rule.min}-${rule.max}${words}`;
}

function splitRange(base: string, rule: CronFieldRule): string {
  const [first, last] = base.split('-');
  return `${first}-${rule.words.at(-1) ?? rule.max},${rule.words[0] ?? rule.min}-${last}`;
}

function problemOf(item: Token, rule: CronFieldRule, expected: string, remedy: string): CronProblem {
  return { offset: item.offset, found: `"${item.text}" for the ${rule.name}`, expected, remedy };
}

/** 30 February and its like: a day of month that none of the months has would never fire. */
function impossibleDay(tokens: readonly Token[]): CronProblem[] {
  const [, , days, months] = tokens;
  if (!days || !months || days.text.startsWith('*')) return [];
  if (days.text.split(',').some((item) => LAST_DAY.test(item))) return [];
  const longest = Math.max(...firstValues(months, ruleAt(4)).map((month) => LONGEST_MONTHS[month - 1] ?? 31));
  const earliest = Math.min(...firstValues(days, ruleAt(3)));
  if (earliest <= longest) return [];
  return [
    {
      offset: days.offset,
      found: `day ${earliest} in month "${months.text}"`,
      expected: `a day up to ${longest}`,
      remedy: 'This day never comes; the schedule would never run.',
    },
  ];
}

/** All values of a field that is known to be well formed. */
function firstValues(token: Token, rule: CronFieldRule): number[] {
  return token.text.split(',').flatMap((item) => {
    const [base = '', step] = item.split('/');
    const range = base === '*' ? { first: rule.min, last: rule.max } : rangeOf(base, rule);
    if (!range) return [];
    const last = step !== undefined && !base.includes('-') ? rule.max : range.last;
    const values: number[] = [];
    for (let value = range.first; value <= last; value += Number(step ?? 1)) values.push(value);
    return values;
  });
}
