import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What a service of a home has logged, oldest line first; nothing while there is no such log. */
export function logLines(home: string, instance: string): Record<string, unknown>[] {
  return readFileSync(path.join(home, 'logs', `${instance}.log`), 'utf8')
    .split('\n')
    .flatMap((line) => parsed(line));
}

/** Also Node itself writes there; and a process that was killed may have left half a line. */
function parsed(line: string): Record<string, unknown>[] {
  if (!line.startsWith('{')) return [];
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
