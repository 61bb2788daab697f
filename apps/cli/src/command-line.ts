import { InvalidArgumentError, type Command } from 'commander';
import type { Invocation } from './invocation.ts';

/** Turns an action that wants an invocation into one that commander can call. */
export type Act = <A extends unknown[]>(
  action: (invocation: Invocation, ...args: A) => Promise<void>,
) => (...args: unknown[]) => Promise<void>;

/** A subcommand with the options that every one has. */
export function subcommand(
  parent: Command,
  nameAndArguments: string,
  summary: string,
  examples: string,
): Command {
  const command = parent
    .command(nameAndArguments)
    .summary(summary)
    .description(summary)
    .option('--json', 'answer with JSON')
    .option('--home <folder>', 'the data folder (default: $CATENA_HOME, else .catena)');
  return withExamples(command, examples);
}

/** A command that only holds others. */
export function commandGroup(parent: Command, name: string, summary: string, examples: string): Command {
  return withExamples(parent.command(name).summary(summary).description(summary), examples);
}

function withExamples(command: Command, examples: string): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.trim().replaceAll(/^/gm, '  ')}`);
}

/** Collects an option that may be given several times, as commander wants it. */
export function collect(value: string, before: readonly string[] = []): string[] {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return [...before, value];
}

/** Reads a whole number within bounds, as commander wants it. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < least || number > most) {
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

const INSTANT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?([.,]\d{1,9})?\s?(Z|[+-]\d\d:\d\d)$/i;

/**
 * Reads a time as commander wants it: ISO 8601 with its zone, or as the tables show it (`2026-03-01 12:00:05Z`). A time
 * without fractions stands for its whole second, because that is what tables show of it.
 * @returns an ISO 8601 instant in UTC with milliseconds
 */
export function instant(text: string): string {
  const match = INSTANT.exec(text.trim());
  const [, day, minute, second, fraction, zone] = match ?? [];
  const whole = `${day}T${minute}${second ?? ':00'}${(fraction ?? '.999').replace(',', '.')}${zone?.toUpperCase()}`;
  const milliseconds = match ? Date.parse(whole) : NaN;
  if (Number.isNaN(milliseconds) || !isDay(day ?? ''))
    throw new InvalidArgumentError(
      'Expected a time with its zone, as 2026-03-01T18:00:00Z or 2026-03-01 19:00+01:00.',
    );
  return new Date(milliseconds).toISOString();
}

/** Date.parse takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  return new Date(day).toISOString().startsWith(day);
}
