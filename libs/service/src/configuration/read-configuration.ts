import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads what the schema names from the environment. `<variable>_FILE` gives a value from a file, without its last
 * line break; an empty variable counts as not set.
 * @throws ConfigurationError with every wrong value at once.
 */
export function readConfiguration<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  environment: Environment = process.env,
): z.output<z.ZodObject<S>> {
  const problems: ConfigurationProblem[] = [];
  const values: Record<string, string> = {};
  for (const variable of Object.keys(schema.shape)) {
    const value = valueOf(variable, environment, problems);
    if (value !== undefined) values[variable] = value;
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const named = new Set(problems.map(({ variable }) => variable));
    for (const issue of parsed.error.issues) {
      const variable = issue.path.join('.');
      if (!named.has(variable))
        problems.push({ variable, message: variable in values ? issue.message : 'is not set' });
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems);
  return parsed.data;
}

function valueOf(
  variable: string,
  environment: Environment,
  problems: ConfigurationProblem[],
): string | undefined {
  const direct = environment[variable];
  const file = environment[`${variable}_FILE`];
  if (!file) return direct === '' ? undefined : direct;
  if (direct) {
    problems.push({ variable, message: `is set twice, directly and by ${variable}_FILE` });
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    problems.push({
      variable,
      message: `its file cannot be read (${(error as NodeJS.ErrnoException).code})`,
    });
    return undefined;
  }
}
