import { readFileSync } from 'node:fs';
import type { Clock } from './clock.ts';

/**
 * The system's clock moved by as many milliseconds as a file says. It is read at each look, so that whoever tests a
 * process can set its clock while it runs.
 */
export function movedClock(file: string): Clock {
  return { now: () => Date.now() + Number(readFileSync(file, 'utf8')) };
}
