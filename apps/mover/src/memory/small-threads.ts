import { setFlagsFromString } from 'node:v8';

/** MiB of young objects that a thread keeps twice. */
const YOUNG_MIB = 1;

/**
 * Keeps the heaps of threads small that are started from now on: they live on buffers, and what they make beside lives for
 * moments. A flag, since what the process was started with goes before the limits that a thread is given.
 */
export function keepThreadsSmall(): void {
  setFlagsFromString(`--max-semi-space-size=${YOUNG_MIB}`);
}
