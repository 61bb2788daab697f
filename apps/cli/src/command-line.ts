import type { Command } from 'commander';
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
  example?: string,
): Command {
  const command = parent
    .command(nameAndArguments)
    .summary(summary)
    .description(summary)
    .option('--json', 'answer with JSON')
    .option('--home <folder>', 'the data folder (default: $CATENA_HOME, else .catena)');
  if (example) command.addHelpText('after', `\nExamples:\n${example.trim().replaceAll(/^/gm, '  ')}`);
  return command;
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** Reads a whole number within bounds, as commander wants it. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < least || number > most) {
      throw new Error(`"${value}" is not a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}
